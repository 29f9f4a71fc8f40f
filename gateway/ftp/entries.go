package ftp

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"strings"
)

// entries yields what a listing shows: the matches of a glob, a directory's entries, or
// the one entry of a file. fs.ErrNotExist if there is nothing of that name.
func (l *listing) entries(ctx context.Context, files FS) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if l.pattern != "" && l.matches(ctx, files, yield) {
			return
		}
		if l.itself || !l.contents(ctx, files, yield) {
			l.one(ctx, files, yield)
		}
	}
}

// matches yields the entries that the glob fits; false if there is none, when the pattern
// may still be a name.
func (l *listing) matches(ctx context.Context, files FS, yield func(Entry, error) bool) bool {
	g := compileGlob(l.pattern)
	found := false
	for e, err := range files.List(ctx, l.path) {
		if errors.Is(err, fs.ErrNotExist) && !found {
			return false
		}
		if err == nil && !g.match(e.Name) {
			continue
		}
		found = true
		if !yield(e, err) {
			return true
		}
	}
	return found
}

// contents yields the entries of a directory; false if it is none.
func (l *listing) contents(ctx context.Context, files FS, yield func(Entry, error) bool) bool {
	first := true
	for e, err := range files.List(ctx, l.literal) {
		if errors.Is(err, fs.ErrNotExist) && first {
			return false
		}
		first = false
		if !yield(e, err) {
			return true
		}
	}
	return true
}

// one yields a file, or with -d a directory, under the name that the client has used.
func (l *listing) one(ctx context.Context, files FS, yield func(Entry, error) bool) {
	e, err := files.Stat(ctx, l.literal, StatOptions{})
	if errors.Is(err, fs.ErrNotExist) || err == nil && e.Dir && !l.itself {
		err = errNoFiles // the words by which clients know an empty listing
	}
	l.prefix = ""
	e.Name = strings.TrimSuffix(l.name, "/")
	yield(e, err)
}
