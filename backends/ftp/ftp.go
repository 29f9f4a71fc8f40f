// Package ftp is a store over a remote FTP server: the old one, whose files are read where
// they are until they have been moved. It is read for the most part; what is written is
// written whole or not at all, as far as FTP has it. It speaks no FTP itself (package
// ftpclient does), and it remembers nothing but the connections and listings that are under
// way.
//
// How it differs from a cloud:
//   - It is a tree, as localdir is. "a" beside "a/b" is refused with fs.ErrExist. The marker
//     "dir/" is the directory itself: it exists as soon as it is needed, stays when it becomes
//     empty, and its delete does nothing while there is something in it.
//   - Keys with an empty, "." or ".." segment, CR or LF, or what the server's charset has no
//     octets for, are refused with fs.ErrInvalid.
//   - Links to files are files. Links to directories are not listed, since they may lead round
//     in circles; keys below them can be read. Nor are links that the user may not follow.
//     Devices and the like are not there.
//   - Of metadata only backends.MetaModTime is kept, as the file's time, to the second.
//   - An ETag names size and time of a file. What is written here never has both of what it
//     replaces, unless a client sets the time; what others write may. Without MLSD the
//     listing tells times to the minute or the day, and so do its ETags: they match what may
//     be meant. Such objects are Partial.
//   - Conditions are looked at, then the file is renamed. They hold between the writers of
//     one Store; another program can come between.
//   - An upload is a file with the hidden name ".causeway-….part" beside its place until it is
//     renamed. If this process or the server dies, or cannot be reached any more, it stays.
//   - Nothing can be parked: errors.ErrUnsupported.
//
// Its central type is [Store].
package ftp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// Config is what a store needs.
type Config struct {
	Server      ftpclient.Config
	Root        string // the absolute path of the directory that is the store; "" is "/"
	Connections int    // most at a time, at least 1
	// AutoZone finds out the time zone of listings by a file of which MDTM tells the time;
	// Server.Zone is not used.
	AutoZone bool
	// Dir is for the temporary files of large listings; "" is the system's.
	Dir string
	// LeftOut is told of what a listing of a directory, which is an absolute path at the server,
	// does not show, if it may be files. It is called, from any goroutine, once for each listing
	// and once for each entry of which only a look of its own shows that.
	LeftOut func(dir string, lines LeftOut)
}

// LeftOut counts what is in a directory and is not listed.
type LeftOut struct {
	ftpclient.LeftOut     // what the client makes no entry of
	TooLong           int // names with which a key would be longer than backends.MaxKey
	// Each of these is told of in a call of its own, with its name for an example.
	Links  int // to directories
	Closed int // links that the user may not follow
}

// Lost is the number of files that there may be and that the listing does not show. Of a
// directory that is too long all that is in it is one.
func (l LeftOut) Lost() int { return l.LeftOut.Lost() + l.TooLong + l.Links + l.Closed }

// add adds what the client has left out.
func (l *LeftOut) add(lines ftpclient.LeftOut) {
	lines.Example = cmp.Or(lines.Example, l.Example)
	l.LeftOut = lines
}

// Store is a [backends.Backend], [backends.Mover], [backends.TreeMover] and
// [backends.Summer]. All its methods may be called from any goroutine.
type Store struct {
	root    string // without a final slash
	leftOut func(string, LeftOut)
	pool    *pool
	page    int   // most entries of a page
	zone    *zone // nil where times need no correction
	walks   walks
	scratch scratch
	locks   locks
	appends chan struct{} // an upload that is begun with octets of the server needs a second connection
}

// New makes the store. Nothing is asked of the server yet. The caller closes it.
func New(cfg Config) (*Store, error) {
	s := &Store{
		page: pageSize,
		root: strings.TrimSuffix(path.Clean("/"+cfg.Root), "/"), leftOut: cfg.LeftOut,
		pool: newPool(cfg.Server, cfg.Connections), appends: make(chan struct{}, cfg.Connections/2),
	}
	if cfg.AutoZone {
		s.zone = &zone{}
		s.pool.cfg.Zone = time.UTC
	}
	return s, s.scratch.open(cfg.Dir)
}

// Close ends the connections, when they are not used any more.
func (s *Store) Close() error {
	s.pool.close()
	s.walks.close()
	return s.scratch.close()
}

// Stat is [backends.Backend.Stat]; its answer is always complete. What the listings have
// told is for a cache to remember.
func (s *Store) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	obj, err := s.look(ctx, key)
	if err != nil {
		return backends.Object{}, fail("stat", key, err)
	}
	return obj, nil
}

// look describes the object of key.
func (s *Store) look(ctx context.Context, key string) (obj backends.Object, err error) {
	name, err := s.path(key)
	if err != nil {
		return backends.Object{}, err
	}
	err = s.read(ctx, func(c *ftpclient.Conn) error {
		obj, err = lookOn(ctx, c, key, name)
		return err
	})
	return obj, err
}

// errOther is a file where the key is that of a directory, or the other way round.
var errOther = fmt.Errorf("of the other kind: %w", fs.ErrNotExist)

// lookOn is look on a connection that is at hand.
func lookOn(ctx context.Context, c *ftpclient.Conn, key, name string) (backends.Object, error) {
	e, err := c.Stat(ctx, name)
	if err != nil {
		return backends.Object{}, err
	}
	if e.Dir != strings.HasSuffix(key, "/") {
		return backends.Object{}, errOther
	}
	return describe(key, factsOf(e)), nil
}

// Delete is [backends.Backend.Delete].
func (s *Store) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	name, err := s.path(key)
	if err == nil {
		defer s.locks.lock(key)()
		err = s.change(ctx, func(c *ftpclient.Conn) error { return remove(ctx, c, key, name, o) })
	}
	if err != nil {
		return fail("delete", key, err)
	}
	return nil
}

func remove(ctx context.Context, c *ftpclient.Conn, key, name string, o backends.DeleteOptions) error {
	// Asked first, since there are servers whose DELE removes directories.
	obj, err := lookOn(ctx, c, key, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.IfMatch != "":
		return backends.ErrChanged
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !matches(o.IfMatch, obj):
		return backends.ErrChanged
	}
	if !strings.HasSuffix(key, "/") {
		return gone(c.Delete(ctx, name))
	}
	return removeDirectory(ctx, c, name)
}

// gone is the outcome of removing what may have been removed by another.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeDirectory does nothing to one that is in use: it is there for what is in it.
func removeDirectory(ctx context.Context, c *ftpclient.Conn, name string) error {
	err := gone(c.Rmdir(ctx, name))
	if err == nil || !c.Usable() {
		return err
	}
	for _, listErr := range c.List(ctx, name) {
		if listErr == nil {
			return nil
		}
	}
	return err
}

// Sum is [backends.Summer.Sum].
func (s *Store) Sum(ctx context.Context, key string, want []backends.Sum) (algorithm backends.Sum, sum []byte, err error) {
	name, err := s.path(key)
	if err == nil {
		err = s.read(ctx, func(c *ftpclient.Conn) error {
			algorithm, sum, err = sumOn(ctx, c, name, want)
			return err
		})
	}
	if err != nil {
		return "", nil, fail("sum", key, err)
	}
	return algorithm, sum, nil
}

func sumOn(ctx context.Context, c *ftpclient.Conn, name string, want []backends.Sum) (backends.Sum, []byte, error) {
	for _, algorithm := range want {
		sum, err := c.Sum(ctx, name, ftpclient.Algorithm(algorithm)) // both are named as HASH names them
		if !errors.Is(err, errors.ErrUnsupported) {
			return algorithm, sum, err
		}
	}
	return "", nil, errors.ErrUnsupported
}

// read uses a connection for what may be done twice: what fails since an idle connection
// has died is done again on another one.
func (s *Store) read(ctx context.Context, use func(*ftpclient.Conn) error) error {
	for {
		c, err := s.pool.take(ctx)
		if err != nil {
			return err
		}
		err = use(c.Conn)
		stale := err != nil && c.reused && !c.Usable() && ctx.Err() == nil
		s.pool.put(c)
		if !stale {
			return err
		}
		s.pool.dropIdle()
	}
}

// change uses a connection for what must not be done twice.
func (s *Store) change(ctx context.Context, use func(*ftpclient.Conn) error) error {
	c, err := s.pool.takeChecked(ctx)
	if err != nil {
		return err
	}
	defer s.pool.put(c)
	return use(c.Conn)
}

// locks make the writers of one key take turns, from their look at it to the rename.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	sync.Mutex
	users int
}

// lock waits for the key. The caller calls the function that it returns.
func (l *locks) lock(key string) (unlock func()) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	k := l.held[key]
	if k == nil {
		k = &lock{}
		l.held[key] = k
	}
	k.users++
	l.mu.Unlock()
	k.Lock()
	return func() {
		k.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if k.users--; k.users == 0 {
			delete(l.held, key)
		}
	}
}
