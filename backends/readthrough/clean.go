package readthrough

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"causeway/backends"
)

// stoneAge is how old a tombstone is at least when it is removed. A copy looks for one before its
// commit and after it: one that was begun before the tombstone was there must have ended, be it a
// reader's, a migration's or a mirror's, whatever the size of the file and the line that it takes.
const stoneAge = 7 * 24 * time.Hour

// spared is how many tombstones of a directory are never removed, the first in order: a listing reads
// them by one request, and they go on hiding what a backup of the old server would bring back.
const spared = 1000

// epitaph is what a tombstone says of its key, from which alone it can be told whether it is still
// of use. No two are the same, so that none has the ETag of the one that it replaces. Those of
// directories, and where what is behind stays as it is, say nothing.
func (l look) epitaph() string {
	if marker(l.key) || !l.route.Mirror {
		return ""
	}
	return rand.Text() + "\n" + l.key
}

// Clean removes the tombstones that hide nothing any more, and tells how many: of the files in one
// directory those after the first thousand, on routes that mirror, older than a week, with no
// change of the key queued, and either nothing behind it or a newer version here. What cannot be
// asked behind is left for another time. After an error, as when ctx has ended, the next call goes on
// behind the tombstone at which this one has ended. It may run in several processes at once.
func (r *Routes) Clean(ctx context.Context) (removed int, err error) {
	if !r.all.Load().mirrors() {
		return 0, nil
	}
	// Whatever is deleted from here on gets another tombstone than the one that is removed.
	queued, ok, err := r.queue.keys(ctx)
	if err != nil || !ok {
		return 0, err
	}
	c := cleaning{routes: r, queued: queued, away: make(map[backends.Backend]bool)}
	r.mu.Lock()
	c.after = r.cleaned
	r.mu.Unlock()
	if err = c.all(ctx); err == nil {
		c.after = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleaned = c.after
	return c.removed, err
}

// cleaning is the state of [Routes.Clean].
type cleaning struct {
	routes  *Routes
	after   string                    // the last tombstone that was looked at, by the round before or this one
	dir     string                    // of the tombstones that are looked at
	count   int                       // of those
	queued  map[string]bool           // keys that may still have to be made the same behind
	away    map[backends.Backend]bool // that have failed to answer
	removed int
}

// all looks at the tombstones behind the one that was the last.
func (c *cleaning) all(ctx context.Context) error {
	q := backends.Query{Prefix: gone, Fresh: true}
	for {
		page, err := c.routes.own.List(ctx, q)
		if err != nil {
			return err
		}
		for _, stone := range page.Objects {
			err := c.stone(ctx, stone)
			c.after = max(c.after, stone.Key)
			if err != nil {
				return err
			}
		}
		if page.Next == "" || page.Next == q.Token {
			return nil
		}
		q.Token = page.Next
	}
}

// stone removes a tombstone if it is of no use.
func (c *cleaning) stone(ctx context.Context, stone backends.Object) error {
	if dir, _ := split(stone.Key); dir != c.dir {
		c.dir, c.count = dir, 0
	}
	c.count++
	if c.count <= c.routes.spared || stone.Key <= c.after || stone.Size == 0 || !stone.Since().Before(c.routes.now().Add(-stoneAge)) {
		return nil
	}
	key, err := c.routes.read(ctx, stone)
	if absent(err) || errors.Is(err, backends.ErrChanged) {
		return nil
	}
	if err != nil {
		return err
	}
	l, ok := Backend{c.routes.own, c.routes}.at(key)
	if !ok || !l.route.Mirror || grave(key) != stone.Key || c.queued[key] || c.away[l.route.Behind] {
		return nil
	}
	useless, err := c.useless(ctx, l, stone)
	if err != nil || !useless {
		return err
	}
	unlock, err := c.routes.keys.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	err = c.routes.own.Delete(ctx, stone.Key, backends.DeleteOptions{IfMatch: stone.ETag})
	switch {
	case err == nil:
		c.removed++
	case absent(err), errors.Is(err, backends.ErrChanged): // the key was deleted again
	default:
		return err
	}
	return nil
}

// read is the key that a tombstone was made for.
func (r *Routes) read(ctx context.Context, stone backends.Object) (string, error) {
	f, err := r.own.Open(ctx, stone.Key, backends.OpenOptions{IfMatch: stone.ETag})
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, 2*backends.MaxKey))
	_, key, _ := strings.Cut(string(text), "\n")
	return key, err
}

// useless tells whether a tombstone of the key, of which no change is queued, hides nothing: what
// was written here after it counts before what it hides; and where nothing is here, nothing must be
// behind, as the server says and no cache.
func (c *cleaning) useless(ctx context.Context, l look, stone backends.Object) (bool, error) {
	here, err := l.front.Stat(ctx, l.key, backends.StatOptions{Complete: true})
	if err == nil {
		return here.Since().After(stone.Since()), nil
	}
	if !absent(err) {
		return false, err
	}
	r, err := l.route.Behind.Open(ctx, l.route.behind(l.key), backends.OpenOptions{Length: 1})
	if err == nil {
		return false, r.Close()
	}
	if errors.Is(l.failed(ctx, err), backends.ErrUnavailable) {
		c.away[l.route.Behind] = true
	}
	return errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission), ctx.Err()
}

// keys are those of all records; false if there are too many to be known.
func (q *queue) keys(ctx context.Context) (keys map[string]bool, ok bool, err error) {
	keys = make(map[string]bool)
	list := backends.Query{Prefix: mirrors, Fresh: true}
	for records := 0; records <= maxKnown; {
		page, err := q.own.List(ctx, list)
		if err != nil {
			return nil, false, err
		}
		for _, record := range page.Objects {
			if marker(record.Key) {
				continue
			}
			records++
			key, err := q.key(ctx, record.Key)
			if err != nil && !absent(err) {
				return nil, false, err
			}
			keys[key] = true // "" of one that has gone
		}
		if page.Next == "" || page.Next == list.Token {
			return keys, true, nil
		}
		list.Token = page.Next
	}
	return nil, false, nil
}
