//go:build e2e && week

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path"
	"slices"
	"strings"
	"time"
)

// errWrong is what a client must never see, whatever is down.
type errWrong struct{ error }

func wrong(format string, args ...any) error { return errWrong{fmt.Errorf(format, args...)} }

// weekOp is something that a client does.
type weekOp struct {
	what string
	do   func(c *weekClient) error
	done func() // what it changes in the tree; nil for nothing
	here bool   // it needs no old server

	// find looks, after a do whose outcome is unknown, which one it is, and changes the tree
	// so; nil if do changes nothing. An error leaves it unknown.
	find func(c *weekClient) error
	// partly has do leave some of its work done when it is refused.
	partly bool
}

// weekUser is a client, which does one thing at a time.
type weekUser struct {
	name, password string
	tree           *weekTree
	rng            *rand.Rand
	known          bool    // has logged in
	doubt          *weekOp // whose outcome is unknown
	names          int     // were made up
	gone           []string
}

// fresh is a path that nothing has had yet.
func (u *weekUser) fresh(dir, kind string) string {
	u.names++
	return path.Join(dir, fmt.Sprintf("%s %d", kind, u.names))
}

// anyDir is a directory, or the root.
func (u *weekUser) anyDir() string {
	dir, ok := anyKey(u.rng, u.tree.dirs)
	if !ok || u.rng.IntN(8) == 0 {
		return "/"
	}
	return dir
}

// next is what the user does next; nil if it cannot.
func (u *weekUser) next() *weekOp {
	file, any := anyKey(u.rng, u.tree.files)
	kind := u.rng.IntN(100)
	switch {
	case kind < 10:
		return u.list(u.anyDir())
	case kind < 28:
		return u.stor(u.fresh(u.anyDir(), "new"))
	case kind < 31:
		return u.stor(u.fresh(u.fresh("/in", "dir"), "new"))
	case kind < 34:
		return u.mkd(u.fresh(u.anyDir(), "made"))
	case kind < 38:
		return u.rmd(u.anyDir())
	case kind < 40:
		return u.moveDir(u.anyDir())
	case kind < 44:
		return u.ghost()
	case !any:
		return nil
	case kind < 64:
		return u.retr(file)
	case kind < 70:
		return u.stat(file)
	case kind < 76:
		return u.stor(file)
	case kind < 88:
		return u.dele(file)
	case kind < 95:
		return u.rename(file, u.fresh(u.anyDir(), "moved"))
	case kind < 97:
		to, _ := anyKey(u.rng, u.tree.files)
		return u.rename(file, to)
	default:
		return u.date(file)
	}
}

func (u *weekUser) list(dir string) *weekOp {
	return &weekOp{what: "MLSD " + dir, do: func(c *weekClient) error {
		want := u.tree.in(dir)
		got, err := c.list(dir)
		if err == nil && !slices.Equal(got, want) && slices.Equal(u.without(dir, got), want) {
			time.Sleep(copyMoment)
			got, err = c.list(dir)
		}
		if err == nil && !slices.Equal(got, want) {
			return wrong("got %q, want %q", got, want)
		}
		return err
	}}
}

// copyMoment is for how long a copy that a migration makes of a file may be seen after that was deleted
// or renamed at the same time (S67).
const copyMoment = 3 * time.Second

// without is a listing of dir without what was deleted or renamed away.
func (u *weekUser) without(dir string, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, again := u.tree.files[path.Join(dir, name)]
		return !again && slices.Contains(u.gone, path.Join(dir, name))
	})
}

// look reads a file: whether it is there, and the file if it is one of these.
func look(c *weekClient, name string, files ...weekFile) (weekFile, bool, error) {
	content, err := c.fetch("RETR " + name)
	if code(err) == 550 {
		return weekFile{}, false, nil
	}
	if err != nil {
		return weekFile{}, false, err
	}
	for _, f := range files {
		if f.is(content) {
			return f, true, nil
		}
	}
	return weekFile{}, false, wrong("%q has %d octets of what it never was", name, len(content))
}

func (u *weekUser) retr(name string) *weekOp {
	return &weekOp{what: "RETR " + name, here: u.tree.files[name].here, do: func(c *weekClient) error {
		_, there, err := look(c, name, u.tree.files[name])
		if err == nil && !there {
			return wrong("is not there")
		}
		return err
	}}
}

// ghost reads a file that was deleted or renamed away.
func (u *weekUser) ghost() *weekOp {
	if len(u.gone) == 0 {
		return nil
	}
	name := u.gone[u.rng.IntN(len(u.gone))]
	if _, again := u.tree.files[name]; again {
		return nil
	}
	return &weekOp{what: "RETR what was deleted: " + name, do: func(c *weekClient) error {
		_, err := c.fetch("RETR " + name)
		if err == nil {
			time.Sleep(copyMoment)
			_, err = c.fetch("RETR " + name)
		}
		switch {
		case err == nil:
			return wrong("is there again")
		case code(err) == 550:
			return nil
		}
		return err
	}}
}

func (u *weekUser) stat(name string) *weekOp {
	return &weekOp{what: "SIZE and MDTM " + name, here: u.tree.files[name].here, do: func(c *weekClient) error {
		f := u.tree.files[name]
		size, err := c.do("SIZE %s", name)
		if err != nil {
			return err
		}
		if size != fmt.Sprintf("213 %d", f.size) {
			return wrong("got %q, want %d", size, f.size)
		}
		t, err := c.modified(name)
		if err == nil && !f.dated(t) {
			return wrong("got %v, want %v to %v", t, f.earliest, f.latest)
		}
		return err
	}}
}

// tolerance is what the clocks' ticks and full seconds may differ.
const tolerance = 2 * time.Second

func (u *weekUser) stor(name string) *weekOp {
	before, was := u.tree.files[name]
	f := weekFile{size: weekSize(u.rng), seed: u.rng.Uint64(), earliest: time.Now().Add(-tolerance), here: true}
	done := func() {
		f.latest = time.Now().Add(tolerance)
		u.tree.put(name, f)
	}
	do := func(c *weekClient) error { return c.store(name, f.content()) }
	if u.rng.IntN(10) == 0 {
		do = func(c *weekClient) error { return u.curl(c, name, f.content()) }
	}
	return &weekOp{what: "STOR " + name, do: do, done: done, find: func(c *weekClient) error {
		found, there, err := look(c, name, f, before)
		switch {
		case err != nil:
			return err
		case !there && was:
			return wrong("the file that was to be replaced is gone")
		case there && found == f:
			done()
		case there && !was:
			return wrong("there is a file of %d octets where none was", found.size)
		}
		return nil
	}}
}

// curl uploads as curl does, in a session of its own.
func (u *weekUser) curl(c *weekClient, name string, content []byte) error {
	url := "ftp://" + c.conn.RemoteAddr().String() + strings.ReplaceAll(name, " ", "%20")
	cmd := exec.Command("curl", "-sS", "--ftp-method", "nocwd", "--max-time", "120", "--user", u.name+":"+u.password, "-T", "-", url)
	cmd.Stdin = bytes.NewReader(content)
	out, err := cmd.CombinedOutput()
	if err != nil && bytes.Contains(out, []byte("450")) {
		return errRefused{"curl", "450 " + string(out)}
	}
	if err != nil {
		return fmt.Errorf("curl: %w: %s", err, out)
	}
	return nil
}

func (u *weekUser) dele(name string) *weekOp {
	done := func() {
		delete(u.tree.files, name)
		u.gone = append(u.gone, name)
	}
	return &weekOp{what: "DELE " + name, done: done,
		do: func(c *weekClient) error {
			_, err := c.do("DELE %s", name)
			return err
		},
		find: func(c *weekClient) error {
			_, there, err := look(c, name, u.tree.files[name])
			if err == nil && !there {
				done()
			}
			return err
		}}
}

// rename may leave both after a crash, or when a store fails, never neither (S30).
func (u *weekUser) rename(from, to string) *weekOp {
	if from == to {
		return nil
	}
	f := u.tree.files[from]
	before, was := u.tree.files[to]
	done := func() {
		u.tree.move(from, to, time.Now().Add(tolerance))
		u.gone = append(u.gone, from)
	}
	return &weekOp{what: fmt.Sprintf("rename %s to %s", from, to), done: done, partly: true,
		do: func(c *weekClient) error { return c.rename(from, to) },
		find: func(c *weekClient) error {
			_, source, err := look(c, from, f)
			if err != nil {
				return err
			}
			target, there, err := look(c, to, f, before)
			switch {
			case err != nil:
				return err
			case source && !there && !was, source && there && was && target == before:
			case !source && there && target == f:
				done()
			case source && there && target == f:
				done()
				u.tree.put(from, f)
			default:
				return wrong("source %v, target %v, which has %d octets", source, there, target.size)
			}
			return nil
		}}
}

func (u *weekUser) date(name string) *weekOp {
	t := time.Date(2020, 1, 1, 0, 0, u.rng.IntN(1<<24), 0, time.UTC)
	done := func() {
		f := u.tree.files[name]
		f.earliest, f.latest, f.here = t, t, true
		u.tree.files[name] = f
	}
	return &weekOp{what: "MFMT " + name, done: done,
		do: func(c *weekClient) error {
			_, err := c.do("MFMT %s %s", t.Format("20060102150405"), name)
			return err
		},
		find: func(c *weekClient) error {
			is, err := c.modified(name)
			switch {
			case err != nil:
				return err
			case is.Equal(t):
				done()
			case !u.tree.files[name].dated(is):
				return wrong("its time is %v", is)
			}
			return nil
		}}
}
