package ftpclient

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"causeway/backends/ftp/ftptest"
)

var testTime = time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC)

// connect logs in at a server of the test.
func connect(t *testing.T, s *ftptest.Server, change ...func(*Config)) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), config(s, change...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func config(s *ftptest.Server, change ...func(*Config)) Config {
	cfg := Config{Address: s.Address, User: ftptest.User, Password: ftptest.Password, Timeout: 5 * time.Second}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// bothKinds runs a test with a server that has all extensions, and one that has few.
func bothKinds(t *testing.T, test func(*testing.T, *ftptest.Server, *Conn)) {
	for _, lean := range []bool{false, true} {
		t.Run(fmt.Sprintf("lean=%v", lean), func(t *testing.T) {
			s := ftptest.Start(t, ftptest.Options{Lean: lean})
			test(t, s, connect(t, s))
		})
	}
}

// list gives a whole listing.
func list(t *testing.T, c *Conn, dir string) ([]Entry, error) {
	t.Helper()
	var entries []Entry
	for e, err := range c.List(t.Context(), dir) {
		if err != nil {
			return entries, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func TestListsWhatIsThere(t *testing.T) {
	bothKinds(t, func(t *testing.T, s *ftptest.Server, c *Conn) {
		s.Put("/d/ two  spaces ", "12345", testTime)
		s.Put("/d/sub/", "", testTime)
		got, err := list(t, c, "/d")
		if err != nil || len(got) != 2 {
			t.Fatalf("%v, %v", got, err)
		}
		dir, file := got[0], got[1]
		if dir.Name != "sub" || !dir.Dir || dir.Size != -1 {
			t.Errorf("the directory is %+v", dir)
		}
		if file.Name != " two  spaces " || file.Dir || file.Size != 5 {
			t.Errorf("the file is %+v", file)
		}
		if file.Precise && !file.ModTime.Equal(testTime) || !file.Precise && !file.ModTime.Equal(testTime.Truncate(24*time.Hour)) {
			t.Errorf("its time is %v", file.ModTime)
		}
		if got, err := list(t, c, "/empty not there"); !errors.Is(err, fs.ErrNotExist) || len(got) > 0 {
			t.Errorf("what is not there lists as %v, %v", got, err)
		}
		s.Put("/empty/", "", testTime)
		if got, err := list(t, c, "/empty"); err != nil || len(got) > 0 {
			t.Errorf("an empty directory lists as %v, %v", got, err)
		}
	})
}

func TestListMayBeLeftEarly(t *testing.T) {
	bothKinds(t, func(t *testing.T, s *ftptest.Server, c *Conn) {
		for i := range 100 {
			s.Put(fmt.Sprintf("/f%d", i), "", testTime)
		}
		for range c.List(t.Context(), "/") {
			break
		}
		if got, err := list(t, c, "/"); !c.Usable() || err != nil || len(got) != 100 {
			t.Errorf("afterwards %d entries, %v", len(got), err)
		}
	})
}

func TestStatTellsFilesDirectoriesAndNothing(t *testing.T) {
	bothKinds(t, func(t *testing.T, s *ftptest.Server, c *Conn) {
		s.Put("/d/file name", "123", testTime)
		e, err := c.Stat(t.Context(), "/d/file name")
		if want := (Entry{Name: "file name", Size: 3, ModTime: testTime, Precise: true}); err != nil || e != want {
			t.Errorf("%+v, %v", e, err)
		}
		if e, err := c.Stat(t.Context(), "/d"); err != nil || !e.Dir || e.Name != "d" || e.Size != -1 {
			t.Errorf("%+v, %v", e, err)
		}
		if _, err := c.Stat(t.Context(), "/d/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})
}

func TestRetrievesFromAnOffset(t *testing.T) {
	bothKinds(t, func(t *testing.T, s *ftptest.Server, c *Conn) {
		content := strings.Repeat("0123456789", 100000)
		s.Put("/file", content, testTime)
		for _, offset := range []int{0, 7, len(content)} {
			d, err := c.Retrieve(t.Context(), "/file", int64(offset))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(d)
			if err != nil || string(got) != content[offset:] || d.Close() != nil {
				t.Errorf("from %d on: %d octets, %v", offset, len(got), err)
			}
		}
		if _, err := c.Retrieve(t.Context(), "/none", 0); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what is not there: %v", err)
		}
		d, err := c.Retrieve(t.Context(), "/file", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil || !c.Usable() || c.Noop(t.Context()) != nil {
			t.Errorf("closed at once: %v, usable %v", err, c.Usable())
		}
	})
}

func TestStoresOnlyWhatIsCommitted(t *testing.T) {
	bothKinds(t, func(t *testing.T, s *ftptest.Server, c *Conn) {
		for _, content := range []string{"", strings.Repeat("abc", 100000)} {
			u, err := c.Store(t.Context(), "/file")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(u, content); err != nil {
				t.Fatal(err)
			}
			if err := u.Commit(); err != nil {
				t.Fatal(err)
			}
			if got, ok := s.Get("/file"); !ok || got != content {
				t.Errorf("%d octets have come of %d", len(got), len(content))
			}
		}
		u, err := c.Store(t.Context(), "/broken off")
		if err != nil {
			t.Fatal(err)
		}
		u.Abort()
		if err := u.Commit(); err == nil || !c.Usable() {
			t.Errorf("Commit after Abort: %v, usable %v", err, c.Usable())
		}
		if _, err := c.Store(t.Context(), "/no/such/file"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a file in no directory: %v", err)
		}
	})
}

func TestChangesNamesAndTimes(t *testing.T) {
	bothKinds(t, func(t *testing.T, s *ftptest.Server, c *Conn) {
		ctx := t.Context()
		s.Put("/file", "1", time.Unix(0, 0))
		if err := errors.Join(c.Mkdir(ctx, "/d"), c.Rename(ctx, "/file", "/d/-la"), c.SetTime(ctx, "/d/-la", testTime)); err != nil {
			t.Fatal(err)
		}
		if got := s.ModTime("/d/-la"); !got.Equal(testTime) {
			t.Errorf("its time is %v", got)
		}
		if err := c.Rmdir(ctx, "/d"); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("removing a full directory: %v", err)
		}
		if err := errors.Join(c.Delete(ctx, "/d/-la"), c.Rmdir(ctx, "/d")); err != nil {
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"rename": c.Rename(ctx, "/none", "/other"), "delete": c.Delete(ctx, "/none"), "rmdir": c.Rmdir(ctx, "/none"),
			"set time": c.SetTime(ctx, "/none", testTime),
		} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s of what is not there: %v", what, err)
			}
		}
	})
}

func TestComputesSums(t *testing.T) {
	content := "what is summed"
	want := sha256.Sum256([]byte(content))
	s := ftptest.Start(t, ftptest.Options{})
	s.Put("/a file", content, testTime)
	c := connect(t, s)
	if got, err := c.Sum(t.Context(), "/a file", SHA256); err != nil || string(got) != string(want[:]) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := c.Sum(t.Context(), "/none", SHA256); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of what is not there: %v", err)
	}
	if _, err := c.Sum(t.Context(), "/a file", MD5); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("of an unknown algorithm: %v", err)
	}
}

func TestNamesAreInTheServersCharset(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{Lean: true})
	s.Put("/caf\xe9", "1", testTime)
	c := connect(t, s, func(cfg *Config) { cfg.Charset = charmap.ISO8859_1 })
	if got, err := list(t, c, "/"); err != nil || len(got) != 1 || got[0].Name != "café" {
		t.Errorf("%v, %v", got, err)
	}
	if e, err := c.Stat(t.Context(), "/café"); err != nil || e.Size != 1 {
		t.Errorf("%v, %v", e, err)
	}
	if _, err := c.Stat(t.Context(), "/日本"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a name that it has no octets for: %v", err)
	}
	if got, err := list(t, connect(t, s), "/"); err != nil || len(got) != 0 {
		t.Errorf("as UTF-8: %v, %v", got, err)
	}
}

func TestRefusesPathsThatCannotBeSent(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{})
	c := connect(t, s)
	before := len(s.Commands())
	for _, path := range []string{"", "relative", "/a\r\nDELE /b", "/a\nb", "/a\x00"} {
		if err := c.Delete(t.Context(), path); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if after := s.Commands(); len(after) > before || !c.Usable() {
		t.Errorf("was sent: %v", after[before:])
	}
}

func TestLoginTellsWrongPasswordsFromServersThatAreDown(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{})
	if err := Login(t.Context(), config(s)); err != nil {
		t.Error(err)
	}
	err := Login(t.Context(), config(s, func(cfg *Config) { cfg.Password = "s3cret typo" }))
	if !errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrTemporary) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a wrong password: %v", err)
	}
	err = Login(t.Context(), config(s, func(cfg *Config) { cfg.Password = "s3cret\r\nDELE x" }))
	if !errors.Is(err, fs.ErrInvalid) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a password with a line end: %v", err)
	}
	down := ftptest.Start(t, ftptest.Options{Answer: func(verb, _ string) (string, bool) { return "421 Too many users", verb == "" }})
	if err := Login(t.Context(), config(down)); !errors.Is(err, ErrTemporary) || errors.Is(err, fs.ErrPermission) {
		t.Errorf("a server that is full: %v", err)
	}
	if err := Login(t.Context(), Config{Address: "127.0.0.1:1"}); !errors.Is(err, ErrTemporary) {
		t.Errorf("no server: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Login(ctx, config(s)); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTemporary) {
		t.Errorf("given up: %v", err)
	}
}
