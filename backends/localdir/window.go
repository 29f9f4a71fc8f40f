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
	// windowSize is how many names are read ahead in order. The directory is read once
	// for each window: a million files are eight passes, and about 6 MB at a time.
	windowSize = 1 << 17
	// maxWindows is how many listings between two pages may keep theirs, and maxIdle for
	// how long; others read their directory again.
	maxWindows = 8
	maxIdle    = 10 * time.Second
	// batch is how many names are read at a time.
	batch = 1024
)

// position is a place within a directory: the first name that begins with prefix and is
// not before from. Names of directories end in "/".
type position struct {
	dir, prefix, from string
}

// window is the names of a directory that come next, in byte order. What came or went
// since they were read may be in it or not, as in any listing; the rest is.
type window struct {
	position
	names []string
	read  int  // how many of names next has returned
	more  bool // there may be names after the last of names
}

// next returns the name that comes next and passes it, "" after the last.
func (w *window) next(ctx context.Context, at *os.Root) (string, error) {
	if w.read == len(w.names) {
		if !w.more {
			return "", nil
		}
		if err := w.fill(ctx, at); err != nil || len(w.names) == 0 {
			return "", err
		}
	}
	name := w.names[w.read]
	w.read++
	w.from = name + "\x00" // the first that comes after it
	return name, nil
}

// unread takes back the name that next has returned.
func (w *window) unread() { w.read-- }

// fill reads the directory and keeps the first windowSize names from w.from on.
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
	w.names, w.read, w.more = nil, 0, false
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
	slices.Sort(w.names)
	w.cut()
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
	if name < w.from || !strings.HasPrefix(name, w.prefix) || w.more && name > w.names[windowSize-1] {
		return
	}
	w.names = append(w.names, name)
	if len(w.names) == 2*windowSize {
		slices.Sort(w.names)
		w.cut()
	}
}

// cut drops the names that are too many.
func (w *window) cut() {
	if len(w.names) > windowSize {
		clear(w.names[windowSize:])
		w.names, w.more = w.names[:windowSize], true
	}
}

// windows keeps those of listings that will ask for another page.
type windows struct {
	mu   sync.Mutex
	kept []kept // oldest first
}

type kept struct {
	position
	window *window
	since  time.Time
}

// take returns the window that was left at pos, or a new one.
func (ws *windows) take(pos position) *window {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.drop()
	for i, k := range ws.kept {
		if k.position == pos {
			ws.kept = slices.Delete(ws.kept, i, i+1)
			return k.window
		}
	}
	return &window{position: pos, more: true}
}

// put keeps w for the listing that goes on at pos. It supersedes one that was left there
// before, which may be from before the present listing began.
func (ws *windows) put(pos position, w *window) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.drop()
	ws.kept = slices.DeleteFunc(ws.kept, func(k kept) bool { return k.position == pos })
	if len(ws.kept) == maxWindows {
		ws.kept = slices.Delete(ws.kept, 0, 1)
	}
	ws.kept = append(ws.kept, kept{pos, w, time.Now()})
}

// drop forgets those that nobody has come back for.
func (ws *windows) drop() {
	ws.kept = slices.DeleteFunc(ws.kept, func(k kept) bool { return time.Since(k.since) > maxIdle })
}
