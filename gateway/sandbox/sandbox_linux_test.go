package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// boxed is a variable of the environment that names the folder of a process which is to
// close the sandbox around itself.
const boxed = "CAUSEWAY_TEST_SANDBOX"

// TestO12_TakenOverProcess is a process in the sandbox that tries what it needs, and what
// somebody would try who has taken it over.
func TestO12_TakenOverProcess(t *testing.T) {
	if dir := os.Getenv(boxed); dir != "" {
		takenOver(t, dir)
		return
	}
	dir := t.TempDir()
	for _, name := range []string{"read", "append", "keep", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "below"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "file"), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), boxed+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "all was tried") {
		t.Errorf("%v\n%s", err, out)
	}
}

// takenOver runs in the process that is in the sandbox.
func takenOver(t *testing.T, dir string) {
	path := func(name string) string { return filepath.Join(dir, name) }
	elsewhere := thread(t)
	state := Enforce(Files{
		Read: []string{path("read"), path("missing")}, Append: []string{path("append")}, Keep: []string{path("keep")},
	})
	if !strings.HasPrefix(state.Files, "landlock ") || state.Calls != "seccomp" || state.Err != nil {
		t.Errorf("in force: %+v", state)
	}
	for name, try := range allowed(path) {
		if err := errors.Join(try(), elsewhere(try)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, try := range denied(path) {
		for where, err := range map[string]error{"here": try(), "in another thread": elsewhere(try)} {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s %s: got %v", name, where, err)
			}
		}
	}
	fmt.Println("all was tried")
}

// thread starts a thread of the system, and returns what runs a function in it.
func thread(t *testing.T) func(func() error) error {
	work, done := make(chan func() error), make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for f := range work {
			done <- f()
		}
	}()
	t.Cleanup(func() { close(work) })
	return func(f func() error) error {
		work <- f
		return <-done
	}
}

// allowed is what a gateway does.
func allowed(path func(string) string) map[string]func() error {
	read := func(name string) func() error {
		return func() error { _, err := os.ReadFile(path(name)); return err }
	}
	return map[string]func() error{
		"read":          read("read/file"),
		"list":          func() error { _, err := os.ReadDir(path("read/below")); return err },
		"see":           func() error { _, err := os.Stat(path("other/file")); return err },
		"read anew":     read("keep/file"),
		"append":        func() error { return write(path("append/file"), os.O_APPEND) },
		"append to new": func() error { return write(path("append/new"), os.O_APPEND|os.O_CREATE) },
		"make and remove": func() error {
			return errors.Join(os.MkdirAll(path("keep/a/b"), 0o700), write(path("keep/a/b/c"), os.O_CREATE), os.RemoveAll(path("keep/a")))
		},
		"rename and link between folders": func() error {
			return errors.Join(os.Rename(path("keep/file"), path("keep/below/moved")), os.Link(path("keep/below/moved"), path("keep/file")),
				os.Remove(path("keep/below/moved")), os.Truncate(path("keep/file"), 2))
		},
		"listen and connect": func() error {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			conn, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				return err
			}
			return errors.Join(conn.Close(), ln.Close())
		},
		"more threads": func() error {
			ended := make(chan struct{})
			go func() {
				runtime.LockOSThread() // the thread ends with the goroutine
				close(ended)
			}()
			<-ended
			return nil
		},
	}
}

// denied is what nobody needs but who has taken it over.
func denied(path func(string) string) map[string]func() error {
	call := func(number uintptr, args ...uintptr) func() error {
		return func() error {
			var a [3]uintptr
			copy(a[:], args)
			if _, _, errno := syscall.Syscall(number, a[0], a[1], a[2]); errno != 0 {
				return errno
			}
			return nil
		}
	}
	return map[string]func() error{
		"read the users of the machine": func() error { _, err := os.ReadFile("/etc/passwd"); return err },
		"read beside":                   func() error { _, err := os.ReadFile(path("other/file")); return err },
		"list the root":                 func() error { _, err := os.ReadDir("/"); return err },
		"read by a link":                func() error { return readLink(path) },
		"write where reading is enough": func() error { return write(path("read/file"), 0) },
		"make where reading is enough":  func() error { return write(path("read/new"), os.O_CREATE) },
		"remove the audit":              func() error { return os.Remove(path("append/file")) },
		"rename the audit":              func() error { return os.Rename(path("append/file"), path("append/other")) },
		"write anywhere":                func() error { return write(path("new"), os.O_CREATE) },
		"make a device":                 func() error { return unix.Mknod(path("keep/null"), unix.S_IFCHR|0o600, 0x103) },
		"run a program":                 func() error { return exec.Command("/bin/true").Run() },
		"become a program":              func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"make a process":                call(unix.SYS_CLONE, uintptr(unix.SIGCHLD)),
		"trace":                         call(unix.SYS_PTRACE, unix.PTRACE_TRACEME),
		"mount":                         func() error { return unix.Mount("none", path("keep"), "tmpfs", 0, "") },
		"have a namespace":              func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"load a program of the kernel":  call(unix.SYS_BPF),
		"become another user":           call(unix.SYS_SETUID, 0),
	}
}

func write(path string, flags int) error {
	f, err := os.OpenFile(path, os.O_WRONLY|flags, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString("more")
	return errors.Join(err, f.Close())
}

// readLink reads a file by a second name for it in a folder that is open.
func readLink(path func(string) string) error {
	err := os.Link(path("other/file"), path("keep/link"))
	if errors.Is(err, syscall.EXDEV) {
		return fs.ErrPermission // what rename and link say, so that mv copies instead
	}
	if err != nil {
		return err
	}
	_, err = os.ReadFile(path("keep/link"))
	return err
}
