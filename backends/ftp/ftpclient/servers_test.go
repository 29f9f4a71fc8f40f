//go:build e2e

package ftpclient

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"causeway/e2e/oldservers"
)

// old is a real server with one user.
type old struct {
	*oldservers.Server
	kind oldservers.Kind
	user oldservers.User
	home string
	tls  bool
}

// eachServer runs a test with the three servers, in clear and with TLS on data connections
// that must resume the session where the server can demand it.
func eachServer(t *testing.T, test func(*testing.T, *old), lines ...func(oldservers.Kind) []string) {
	for _, kind := range oldservers.Kinds() {
		for _, tls := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s tls=%v", kind, tls), func(t *testing.T) {
				t.Parallel()
				user := oldservers.User{Name: "user", Password: "pass word"}
				o := oldservers.Options{Dir: t.TempDir(), Users: []oldservers.User{user}, TLS: tls, RequireReuse: tls && kind != oldservers.PureFTPd}
				for _, f := range lines {
					o.Lines = append(o.Lines, f(kind)...)
				}
				s, err := oldservers.Start(t.Context(), kind, o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Kill)
				test(t, &old{s, kind, user, filepath.Join(s.Homes, user.Name), tls})
			})
		}
	}
}

func (o *old) connect(t *testing.T, change ...func(*Config)) *Conn {
	t.Helper()
	cfg := Config{Address: o.Address, User: o.user.Name, Password: o.user.Password, Timeout: 20 * time.Second}
	if o.tls {
		pem, err := os.ReadFile(o.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		cfg.TLS, cfg.TLSConfig = Explicit, Trust{Roots: roots}.TLSConfig()
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// put makes a file in the user's home.
func (o *old) put(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(o.home, name)
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o644), os.Chtimes(path, testTime, testTime)); err != nil {
		t.Fatal(err)
	}
}

func (o *old) mkdir(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(o.home, name), mode); err != nil {
		t.Fatal(err)
	}
}

// oddNames are names of files that clients have trouble with. Pure-FTPd has it with more:
// it writes "trail_" for "trail ", and sends no names with a backslash.
func oddNames(kind oldservers.Kind) []string {
	names := []string{" lead", "-la", "#hash", `q"uo'te`, "ünï 日本", "a -> b", ".hidden", "file 5", "star*", "[a]", "%41", "~"}
	if kind != oldservers.PureFTPd {
		names = append(names, "trail ", `back\slash`)
	}
	return names
}

func TestServersShowWhatIsThere(t *testing.T) {
	eachServer(t, func(t *testing.T, o *old) {
		for _, name := range oddNames(o.kind) {
			o.put(t, name, "1234567")
		}
		o.put(t, "lat\xe9", "")
		o.put(t, "new\nline", "")
		o.mkdir(t, "dir", 0o755)
		o.mkdir(t, "closed", 0)
		o.mkdir(t, "unreadable", 0o111)
		for name, target := range map[string]string{"linked file -> x": "file 5", "linked dir": "dir"} {
			if err := os.Symlink(target, filepath.Join(o.home, name)); err != nil {
				t.Fatal(err)
			}
		}
		c := o.connect(t)
		entries, err := list(t, c, "/")
		if err != nil {
			t.Fatal(err)
		}
		var files, dirs, links []string
		for _, e := range entries {
			switch {
			case e.Link:
				links = append(links, e.Name)
			case e.Dir:
				dirs = append(dirs, e.Name)
			default:
				files = append(files, e.Name)
				if e.Size != 7 || e.Precise && !e.ModTime.Equal(testTime) || !e.Precise && !e.ModTime.Equal(testTime.Truncate(24*time.Hour)) {
					t.Errorf("%+v", e)
				}
			}
		}
		same(t, files, oddNames(o.kind))
		same(t, dirs, []string{"dir", "closed", "unreadable"})
		same(t, links, []string{"linked file -> x", "linked dir"})
		if out := c.LeftOut(); out.Undecodable != 1 || o.kind != oldservers.PureFTPd && out.Unsafe != 1 || out.Unparsed > 0 {
			t.Errorf("left out: %+v", out)
		}
		for _, name := range append(oddNames(o.kind), "linked file -> x") {
			e, err := c.Stat(t.Context(), "/"+name)
			if want := (Entry{Name: name, Size: 7, ModTime: testTime, Precise: true}); err != nil || e != want {
				t.Errorf("Stat %q: %+v, %v", name, e, err)
			}
			if got := fetch(t, c, "/"+name, 3); got != "4567" {
				t.Errorf("%q from the fourth octet on: %q", name, got)
			}
		}
		for _, name := range []string{"dir", "linked dir"} {
			if e, err := c.Stat(t.Context(), "/"+name); err != nil || !e.Dir {
				t.Errorf("Stat %q: %+v, %v", name, e, err)
			}
			if got, err := list(t, c, "/"+name); err != nil || len(got) > 0 {
				t.Errorf("List %q: %v, %v", name, got, err)
			}
		}
		for _, name := range []string{"closed", "unreadable"} {
			if got, err := list(t, c, "/"+name); !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("List %q: %v, %v", name, got, err)
			}
		}
		for _, name := range []string{"none", "none/deep", "#hash"} {
			if got, err := list(t, c, "/"+name); !errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				t.Errorf("List %q: %v, %v", name, got, err)
			}
		}
		latin := o.connect(t, func(cfg *Config) { cfg.Charset = charmap.ISO8859_1 })
		if e, err := latin.Stat(t.Context(), "/laté"); err != nil || e.Size != 0 {
			t.Errorf("in ISO 8859-1: %+v, %v", e, err)
		}
		if got, err := list(t, latin, "/"); err != nil || !slices.ContainsFunc(got, func(e Entry) bool { return e.Name == "laté" }) {
			t.Errorf("in ISO 8859-1: %v, %v", got, err)
		}
	})
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func fetch(t *testing.T, c *Conn, path string, offset int64) string {
	t.Helper()
	d, err := c.Retrieve(t.Context(), path, offset)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(d)
	if err = errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestServersTakeWhatIsWritten(t *testing.T) {
	eachServer(t, func(t *testing.T, o *old) {
		ctx, c := t.Context(), o.connect(t)
		content := make([]byte, 3<<20)
		for i := range content {
			content[i] = byte(rand.Uint32())
		}
		if err := c.Mkdir(ctx, "/new dir"); err != nil {
			t.Fatal(err)
		}
		for _, name := range append(oddNames(o.kind), "empty") {
			size := len(content)
			if name == "empty" {
				size = 0
			}
			u, err := c.Store(ctx, "/new dir/.tmp")
			if err != nil {
				t.Fatal(err)
			}
			_, err = u.Write(content[:size])
			if err = errors.Join(err, u.Commit()); err != nil {
				t.Fatal(err)
			}
			path := "/new dir/" + name
			if err := errors.Join(c.Rename(ctx, "/new dir/.tmp", path), c.SetTime(ctx, path, testTime)); err != nil {
				t.Fatal(err)
			}
			e, err := c.Stat(ctx, path)
			if err != nil || e.Size != int64(size) || !e.ModTime.Equal(testTime) {
				t.Errorf("%q: %+v, %v", name, e, err)
			}
			if got := fetch(t, c, path, 0); got != string(content[:size]) {
				t.Errorf("%q came back as %d octets", name, len(got))
			}
			if o.kind == oldservers.ProFTPD {
				want := sha256.Sum256(content[:size])
				if sum, err := c.Sum(ctx, path, SHA256); err != nil || string(sum) != string(want[:]) {
					t.Errorf("%q: %x, %v", name, sum, err)
				}
			}
			if err := c.Delete(ctx, path); err != nil {
				t.Error(err)
			}
		}
		if err := c.Rmdir(ctx, "/new dir"); err != nil {
			t.Error(err)
		}
		for what, err := range map[string]error{
			"delete": c.Delete(ctx, "/none"), "rmdir": c.Rmdir(ctx, "/none"), "rename": c.Rename(ctx, "/none", "/n"), "time": c.SetTime(ctx, "/none", testTime),
		} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s of what is not there: %v", what, err)
			}
		}
		u, err := c.Store(ctx, "/broken off")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(content[:1000]); err != nil {
			t.Fatal(err)
		}
		if u.Abort(); !c.Usable() {
			t.Error("after an upload that was broken off the connection is not usable")
		}
		d, err := c.Retrieve(ctx, "/broken off", 0)
		if err == nil {
			d.Close()
		}
		if err := c.Noop(ctx); c.Usable() != (err == nil) {
			t.Errorf("after a download that was broken off usable is %v: %v", c.Usable(), err)
		}
	})
}

func TestServersListManyFiles(t *testing.T) {
	const files = 10_050 // Pure-FTPd cuts at 10,000
	eachServer(t, func(t *testing.T, o *old) {
		for i := range files {
			o.put(t, fmt.Sprintf("f%05d", i), "")
		}
		c := o.connect(t)
		seen := map[string]bool{}
		var err error
		for e, listErr := range c.List(t.Context(), "/") {
			if err = listErr; err == nil {
				seen[e.Name] = true
			}
		}
		if o.kind == oldservers.PureFTPd {
			if !errors.Is(err, ErrIncomplete) {
				t.Errorf("%d entries, %v", len(seen), err)
			}
			return
		}
		if err != nil || len(seen) != files {
			t.Errorf("%d entries, %v", len(seen), err)
		}
	})
}

func TestServersThatCloseAnIdleConnection(t *testing.T) {
	idle := func(kind oldservers.Kind) []string {
		return map[oldservers.Kind][]string{
			oldservers.VSFTPD:  {"idle_session_timeout=3"},
			oldservers.ProFTPD: {"TimeoutIdle 3"},
		}[kind] // long enough to log in; Pure-FTPd counts in minutes
	}
	eachServer(t, func(t *testing.T, o *old) {
		c := o.connect(t)
		if o.kind == oldservers.PureFTPd {
			o.Kill()
		}
		if err := c.tcp.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, _ = c.r.Peek(1) // waits for the farewell, or for the end
		if err := c.Noop(t.Context()); !errors.Is(err, ErrTemporary) || c.Usable() {
			t.Errorf("%v", err)
		}
	}, idle)
}

func TestServersKilledInATransfer(t *testing.T) {
	eachServer(t, func(t *testing.T, o *old) {
		o.put(t, "large", strings.Repeat("x", 32<<20))
		down, up := o.connect(t), o.connect(t)
		d, err := down.Retrieve(t.Context(), "/large", 0)
		if err != nil {
			t.Fatal(err)
		}
		u, err := up.Store(t.Context(), "/new")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, d, 1<<20); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		o.Kill()
		if _, err := io.Copy(io.Discard, d); !errors.Is(err, ErrTemporary) || down.Usable() {
			t.Errorf("download: %v", err)
		}
		if err := u.Commit(); !errors.Is(err, ErrTemporary) || up.Usable() {
			t.Errorf("upload: %v", err)
		}
	})
}
