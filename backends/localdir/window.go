package localdir

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// windowSize is how many octets of names are read ahead in order, twice that while
	// they are read. The directory is read once for each window: a million files with
	// names of 20 letters are 17 passes.
	windowSize = 4 << 20
	// minWindow is the window of a listing that wants no more than a few entries, and of
	// the lowest directories of a deep tree.
	minWindow = 4 << 10
	// maxListers is how many windows of more than that may be in use at a time.
	maxListers = 4
	// maxKept is how many octets of names may be kept for listings between two pages, and
	// maxIdle for how long. Those who find no room read their directory again for the
	// next page, so that the others get done.
	maxKept = 24 << 20
	maxIdle = 10 * time.Second
	// nameCost is what a name takes beside its octets: its header in a slice that has
	// just grown, beside the slice that it has grown from, and the rounding of its memory.
	nameCost = 48
	// maxNameCost is that of the longest name, of a directory.
	maxNameCost = nameCost + maxSegment + 1
	// batch is how many names are read at a time.
	batch = 1024
)

// position is a place in a directory within one listing: the first name that begins with
// prefix and is not before from. Names of directories end in "/".
type position struct {
	listing, dir, prefix, from string
}

// window is the names of a directory that come next, in byte order. What came or went
// since they were read may be in it or not, as in any listing that is under way; the rest
// is.
type window struct {
	position
	limit  int // octets of names, with their cost, once they are in order
	names  []string
	octets int    // of names, with their cost
	read   int    // how many of names next has returned
	more   bool   // there may be names after the last of names
	last   string // if more, the last of those that are in order, "" if none are
}

// next returns the name that comes next and passes it, "" after the last.
func (w *window) next(ctx context.Context, at *os.Root) (string, error) {
	if w.read == len(w.names) {
		if !w.more {
			return "", nil
		}
		if w.read > 0 {
			w.from = w.names[w.read-1] + "\x00" // the first that comes after it
		}
		if err := w.fill(ctx, at); err != nil || len(w.names) == 0 {
			return "", err
		}
	}
	w.read++
	return w.names[w.read-1], nil
}

// unread takes back the name that next has returned.
func (w *window) unread() { w.read-- }

// fill reads the directory and keeps the first names from w.from on.
func (w *window) fill(ctx context.Context, at *os.Root) error {
	dir, err := at.Open(".")
	if err != nil {
		return err
	}
	f, err := namesOf(dir)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it is only read
	w.names, w.octets, w.read, w.more, w.last = nil, 0, 0, false, ""
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := f.ReadDir(batch)
		for _, entry := range entries {
			w.keep(entry)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	w.settle()
	return nil
}

// keep takes a name that belongs to the window. At twice its size, the later half goes.
func (w *window) keep(entry os.DirEntry) {
	name := entry.Name()
	switch {
	case entry.IsDir():
		name += "/"
	case !entry.Type().IsRegular():
		return
	}
	if name < w.from || !strings.HasPrefix(name, w.prefix) || w.last != "" && name > w.last {
		return
	}
	w.names = append(w.names, name)
	w.octets += nameCost + len(name)
	if w.octets > 2*w.limit {
		w.settle()
	}
}

// settle puts the names in order and drops those that are too many. Some file systems
// tell a name twice that is replaced while they are read.
func (w *window) settle() {
	slices.Sort(w.names)
	w.names = slices.Compact(w.names)
	w.octets = 0
	for i, name := range w.names {
		w.octets += nameCost + len(name)
		if w.octets > w.limit && i > 0 {
			w.octets -= nameCost + len(name)
			clear(w.names[i:])
			w.names, w.more, w.last = w.names[:i], true, w.names[i-1]
			return
		}
	}
}

// windows keeps those of listings that will ask for another page.
type windows struct {
	mu     sync.Mutex
	kept   []kept // oldest first
	octets int    // of all names kept
}

type kept struct {
	position
	window *window
	since  time.Time
}

// take returns the window that the listing has left at pos, or a new one.
func (ws *windows) take(pos position) *window {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.drop()
	for i, k := range ws.kept {
		if k.position == pos {
			ws.kept = slices.Delete(ws.kept, i, i+1)
			ws.octets -= k.window.octets
			return k.window
		}
	}
	return &window{position: pos, more: true}
}

// put keeps w for the page that goes on at pos, if there is room.
func (ws *windows) put(pos position, w *window) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.drop()
	if ws.octets+w.octets > maxKept {
		return
	}
	ws.kept = append(ws.kept, kept{pos, w, time.Now()})
	ws.octets += w.octets
}

// drop forgets those that nobody has come back for.
func (ws *windows) drop() {
	n := 0
	for n < len(ws.kept) && time.Since(ws.kept[n].since) > maxIdle {
		ws.octets -= ws.kept[n].window.octets
		n++
	}
	ws.kept = slices.Delete(ws.kept, 0, n)
}
