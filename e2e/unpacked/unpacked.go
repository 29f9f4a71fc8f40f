// Package unpacked runs programs of Debian packages that e2e/install.sh has unpacked into a
// folder, so that no service of this machine is started or changed. It does not install
// them. Its central type is Program.
package unpacked

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is a file of a Debian package.
type Program struct {
	Root string // where the package is unpacked
	Path string
}

// Folder is where install.sh unpacks packages. Root's is open to others, since some servers
// refuse to run as root, and who they run as may not pass root's home.
func Folder() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/causeway-e2e/servers", nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "causeway-e2e", "servers"), err
}

// Locate finds a file by its installed path, which may be a pattern. The last of those
// that match counts. An error is fs.ErrNotExist when there is none.
func Locate(pattern string) (Program, error) {
	root, err := Folder()
	if err != nil {
		return Program{}, err
	}
	found, err := filepath.Glob(root + pattern)
	if err != nil {
		return Program{}, err
	}
	if len(found) > 0 {
		return Program{root, found[len(found)-1]}, nil
	}
	return Program{}, fmt.Errorf("%s is not installed (run e2e/install.sh): %w", pattern, fs.ErrNotExist)
}

// Beside is another program of the same folder.
func (p Program) Beside(name string) Program {
	return Program{p.Root, filepath.Join(filepath.Dir(p.Path), name)}
}

// Command runs the program with the libraries that were unpacked with it.
func (p Program) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.Path, args...)
	cmd.Env = p.Environ()
	return cmd
}

// Environ is what a command that runs the program has as its environment.
func (p Program) Environ() []string {
	libraries, _ := filepath.Glob(p.Root + "/usr/lib/*-linux-gnu") // the pattern is right
	return append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
}
