package vfs

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// target is a name that a file is about to get, by an upload or a rename.
type target struct {
	place
	absent    bool              // on condition that there is no file
	aside     bool              // it is not the name that the client has asked for
	alternate func() string     // other keys, should there be a file all the same; may be nil
	begun     history           // of the name before it was asked for what is parked
	older     []backends.Parked // under it
	done      func()            // gives the name free; called once
}

// take reserves the name at for a file, as the mount's policies have it. fs.ErrExist if
// it is taken, ftp.ErrBusy if it is being written, ftp.ErrIsDir if a directory is known,
// without a request, to have it.
func (f *FS) take(ctx context.Context, op string, at place) (target, error) {
	if knownDir(at) {
		return target{}, refuse(op, at.path, ftp.ErrIsDir)
	}
	done, err := f.reserve(op, at)
	if errors.Is(err, ftp.ErrBusy) && at.overwrite == KeepBoth {
		return f.aside(op, at)
	}
	if err != nil {
		return target{}, err
	}
	t := target{place: at, absent: !at.replaces(), begun: f.names.history(at.name()), done: done}
	if t.absent {
		err = vacant(ctx, op, at)
	}
	switch {
	case err != nil:
		done()
		if errors.Is(err, fs.ErrExist) && at.overwrite == KeepBoth {
			return f.aside(op, at)
		}
		return target{}, err
	case at.overwrite == KeepBoth:
		t.alternate = at.another
	}
	t.older = f.superseded(ctx, at)
	return t, nil
}

// takeUnique is take for a name that nobody else shall have (STOU), whatever the policies.
func (f *FS) takeUnique(ctx context.Context, at place) (target, error) {
	done := f.names.claim(at.name())
	if done == nil {
		return target{}, refuse("store", at.path, fs.ErrExist)
	}
	if err := vacant(ctx, "store", at); err != nil {
		done()
		return target{}, err
	}
	return target{place: at, absent: true, done: done}, nil
}

// reserve notes that at is being written; ftp.ErrBusy if it is already, and the mount has
// one writer of a name only. Where both files are kept, the second is kept elsewhere.
func (f *FS) reserve(op string, at place) (done func(), err error) {
	if at.concurrent == LastWins && at.overwrite != KeepBoth {
		return f.names.write(at.name()), nil
	}
	if done = f.names.claim(at.name()); done == nil {
		return nil, refuse(op, at.path, ftp.ErrBusy)
	}
	return done, nil
}

// superseded are the uploads that end when a new file takes the name at. If they cannot be
// told, they stay.
func (f *FS) superseded(ctx context.Context, at place) []backends.Parked {
	return f.parkedOf(ctx, at, backends.ParkedQuery{})
}

// parkedNow are those that the store tells at this moment, also to a client that has gone.
func (f *FS) parkedNow(ctx context.Context, at place) []backends.Parked {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTimeout)
	defer cancel()
	return f.parkedOf(ctx, at, backends.ParkedQuery{Fresh: true})
}

func (f *FS) parkedOf(ctx context.Context, at place, q backends.ParkedQuery) []backends.Parked {
	found, err := at.parked(ctx, q)
	if err != nil {
		f.logOf(ctx).Warn("parked uploads cannot be told", "path", at.path.String(), "err", err)
	}
	return found
}

// aside is a name beside at's, which is taken.
func (f *FS) aside(op string, at place) (target, error) {
	beside, err := at.sibling(at.another())
	if err != nil {
		return target{}, refuse(op, at.path, err)
	}
	return target{
		place: beside, absent: true, aside: true, alternate: at.another,
		done: f.names.write(beside.name()),
	}, nil
}

// sibling is the file of another key in the directory that the file at is in.
func (at place) sibling(key string) (place, error) {
	p, err := at.path.Parent().Join(path.Base(key))
	if err != nil {
		return place{}, err
	}
	return place{path: p, mount: at.mount, key: key}, nil
}

// The longest file name in octets that stores on a file system take, and the longest
// extension that is one.
const (
	maxBase      = 255
	maxExtension = 16
)

// another makes a key beside that of at, for keeping both files: the name with the time
// in UTC, and a few letters against others of the same second, before its extension.
func (at place) another() string {
	suffix := time.Now().UTC().Format("-20060102T150405Z-") + strings.ToLower(rand.Text()[:4])
	dir, base := path.Split(at.key)
	stem, ext := base, path.Ext(base)
	if len(ext) == len(base) || len(ext) > maxExtension {
		ext = ""
	}
	stem = strings.TrimSuffix(stem, ext)
	longest := min(max(maxBase, len(base)), backends.MaxKey-len(dir))
	return dir + shorten(stem, max(longest-len(suffix)-len(ext), 0)) + suffix + ext
}

// shorten cuts s to at most so many octets, between two characters.
func shorten(s string, octets int) string {
	if len(s) <= octets {
		return s
	}
	for octets > 0 && !utf8.RuneStart(s[octets]) {
		octets--
	}
	return s[:octets]
}
