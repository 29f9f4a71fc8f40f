package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// walk goes through keys in byte order, depth first. Each directory is listed once, when
// its turn comes.
type walk struct {
	store     *Store
	prefix    string // keys begin with it
	delimiter bool
	after     string // keys up to this one are passed over
	began     bool
	levels    []*level
	unread    *item // was given back
}

// level is a directory on the way.
type level struct {
	prefix string // "" or ending in "/"
	*snapshot
}

// item is an object, or a common prefix as an Object of that key alone.
type item struct {
	backends.Object
	common bool
}

// next is the next item; io.EOF at the end.
func (w *walk) next(ctx context.Context) (item, error) {
	if i := w.unread; i != nil {
		w.unread = nil
		return *i, nil
	}
	if !w.began {
		w.began = true
		i, err := w.begin(ctx)
		if err != nil || i.Key > w.after {
			return i, err
		}
	}
	for len(w.levels) > 0 {
		top := w.levels[len(w.levels)-1]
		e, err := top.next()
		if err == io.EOF { //nolint:errorlint // the level's own
			top.close()
			w.levels = w.levels[:len(w.levels)-1]
			continue
		}
		if err != nil {
			return item{}, fmt.Errorf("temporary file of a listing: %w", opaque{err})
		}
		i, ok, err := w.entry(ctx, top.prefix+e.name, e)
		if err != nil || ok {
			return i, err
		}
	}
	return item{}, io.EOF
}

// begin lists the lowest directory that has all of the walk, and gives its marker if the
// walk has that too. Nothing follows where there is no such directory.
func (w *walk) begin(ctx context.Context) (item, error) {
	base := w.prefix[:strings.LastIndexByte(w.prefix, '/')+1]
	err := w.descend(ctx, base)
	switch {
	case errors.Is(err, fs.ErrInvalid): // below a name that cannot be there is nothing
		return item{}, io.EOF
	case errors.Is(err, fs.ErrNotExist):
		if err := w.store.there(ctx); err != nil {
			return item{}, err
		}
		return item{}, io.EOF
	case err != nil:
		return item{}, err
	}
	if base == "" || base != w.prefix {
		return item{}, nil
	}
	return item{Object: describe(base, facts{dir: true})}, nil
}

// there fails if the directory that is the store is not there: its disk may be missing, and
// it must not be taken for one that is empty.
func (s *Store) there(ctx context.Context) error {
	return s.read(ctx, func(c *ftpclient.Conn) error {
		e, err := c.Stat(ctx, s.root+"/")
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("the directory that is the store is not there: %w", opaque{err})
		case err == nil && !e.Dir:
			return errors.New("what should be the directory of the store is a file")
		}
		return err
	})
}

// maxHeld is how much a walk may hold of the directories that it is in, in octets. Each has a
// part of that, and a server that wants to can have them as deep as keys are long.
const maxHeld = 32 << 20

var errHeld = errors.New("too many large directories are within each other")

// descend lists a directory.
func (w *walk) descend(ctx context.Context, prefix string) error {
	if w.octets() > maxHeld {
		return errHeld
	}
	s, err := w.store.snapshot(ctx, prefix)
	if err == nil {
		w.levels = append(w.levels, &level{prefix, s})
	}
	return err
}

// entry makes an item of an entry, if it is one of the walk's.
func (w *walk) entry(ctx context.Context, key string, e entry) (i item, ok bool, err error) {
	inside := strings.HasPrefix(w.after, key) && e.facts.dir // keys that were not passed follow
	switch {
	case !strings.HasPrefix(key, w.prefix), hidden(key, e.name), key <= w.after && (!inside || w.delimiter):
		return item{}, false, nil
	case !e.facts.dir:
		obj, err := w.store.resolve(ctx, key, e)
		switch {
		case closed(err):
			w.store.skip(key, LeftOut{Closed: 1})
			return item{}, false, nil
		case errors.Is(err, errOther):
			w.store.skip(key, LeftOut{Links: 1})
			return item{}, false, nil
		case errors.Is(err, fs.ErrNotExist):
			return item{}, false, nil // gone meanwhile, or a link to nothing
		}
		return item{Object: obj}, err == nil, err
	case w.delimiter:
		return item{Object: backends.Object{Key: key}, common: true}, true, nil
	}
	if backends.ValidKey(key) {
		err := w.descend(ctx, key)
		if errors.Is(err, fs.ErrNotExist) {
			return item{}, false, nil // gone meanwhile
		}
		if err != nil {
			return item{}, false, err
		}
	}
	return item{Object: describe(key, e.facts)}, key > w.after, nil
}

// hidden tells names that are no business of a listing's.
func hidden(key, name string) bool {
	return key == backends.Reserved+"/" || len(key) > backends.MaxKey || isPart(name)
}

// resolve describes a file of a listing.
func (s *Store) resolve(ctx context.Context, key string, e entry) (backends.Object, error) {
	if !e.unsure {
		if !e.facts.precise {
			e.facts.seconds = s.zone.correct(e.facts.seconds)
		}
		return describe(key, e.facts), nil
	}
	return s.look(ctx, key)
}

// closed tells that the server refuses a look at an entry that it has listed, and does not say
// that it is not there. vsftpd says the same of what is not there and of what the user may not
// enter: that may be files, so it counts as closed.
func closed(err error) bool {
	var refused *ftpclient.ReplyError
	return errors.As(err, &refused) && refused.Code == 550 && !refused.SaysMissing()
}

// skip tells of an entry that is not listed.
func (s *Store) skip(key string, out LeftOut) {
	if s.leftOut == nil {
		return
	}
	dir, name := path.Split(s.root + "/" + key)
	out.Example = strconv.QuoteToASCII(name)
	s.leftOut(path.Clean(dir), out)
}

// snapshot lists a directory as it is now.
func (s *Store) snapshot(ctx context.Context, prefix string) (snap *snapshot, err error) {
	name, err := s.directory(prefix)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, func(c *ftpclient.Conn) error {
		snap, err = s.snapshotOn(ctx, c, prefix, name)
		return err
	})
	return snap, err
}

func (s *Store) snapshotOn(ctx context.Context, c *ftpclient.Conn, prefix, name string) (*snapshot, error) {
	sorted := newSorter(s.file, s.scratch.give)
	defer sorted.close()
	sample, out := sample{}, LeftOut{}
	for e, err := range c.List(ctx, name) {
		if err != nil {
			return nil, err
		}
		sample.consider(e)
		if len(prefix)+len(entryOf(e).name) > backends.MaxKey {
			out.TooLong++
			out.Example = strconv.QuoteToASCII(e.Name)
			continue
		}
		if err := sorted.add(entryOf(e)); err != nil {
			return nil, fmt.Errorf("temporary file of a listing: %w", opaque{err})
		}
	}
	if out.add(c.LeftOut()); out.Lost() > 0 && s.leftOut != nil {
		s.leftOut(name, out)
	}
	if err := s.zone.learn(ctx, c, name, sample); err != nil {
		return nil, err
	}
	return sorted.sorted()
}

// file is a temporary file, if need be that of a walk that waits for its next page.
func (s *Store) file() (*os.File, error) {
	for {
		if f := s.scratch.take(); f != nil {
			return f, nil
		}
		if !s.walks.dropSpilled() {
			return nil, errSpilled
		}
	}
}

func entryOf(e ftpclient.Entry) entry {
	if e.Dir {
		e.Name += "/"
	}
	return entry{name: e.Name, facts: factsOf(e), unsure: e.Link || !e.Dir && e.Size < 0}
}

func (w *walk) octets() (n int) {
	for _, l := range w.levels {
		n += l.octets
	}
	return n
}

// spilled tells whether some directory is in a temporary file.
func (w *walk) spilled() bool {
	return slices.ContainsFunc(w.levels, func(l *level) bool { return l.file != nil })
}

func (w *walk) close() {
	for _, l := range w.levels {
		l.close()
	}
	w.levels = nil
}
