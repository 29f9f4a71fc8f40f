package vfs

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// place is where a path leads.
type place struct {
	path   ftp.Path
	*mount        // nil if no mount covers the path
	key    string // of the file of this name; "" at a mount point
	fixed  bool   // a mount point or above one: a directory whatever the store holds
}

// find resolves a path. fs.ErrNotExist for what is reserved or hidden, as if there were nothing;
// fs.ErrInvalid if the key would be too long.
func (f *FS) find(op string, p ftp.Path) (place, error) {
	if reserved(p) {
		return place{}, refuse(op, p, fs.ErrNotExist)
	}
	at := place{path: p, fixed: p.IsRoot()}
	name := text(p)
	for _, m := range f.mounts {
		if _, above := within(m.path, name); above {
			at.fixed = true
		}
		rest, below := within(name, m.path)
		if at.mount == nil && below {
			at.mount = m
			if rest != "" {
				at.key = m.prefix + rest[1:]
			}
		}
	}
	if at.mount != nil && !at.fixed && at.hides(p) {
		return place{}, refuse(op, p, fs.ErrNotExist)
	}
	if len(at.key) > backends.MaxKey {
		return place{}, refuse(op, p, fs.ErrInvalid)
	}
	return at, nil
}

// within tells whether name is dir or below it, and if so what follows dir: "" or a slash
// and more.
func within(name, dir string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, dir)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// file is find for an operation on a file that is there, or may be: ftp.ErrIsDir if p
// cannot be one, fs.ErrPermission without the rights, or to write where nothing may be
// written, before the store is asked anything.
func (f *FS) file(op string, p ftp.Path, need Rights) (place, error) {
	at, err := f.find(op, p)
	switch {
	case err != nil:
		return place{}, err
	case at.fixed:
		return place{}, refuse(op, p, ftp.ErrIsDir)
	case at.mount == nil || !at.rights.has(need), need&Write != 0 && at.denies(p):
		return place{}, refuse(op, p, fs.ErrPermission)
	}
	return at, nil
}

// name is the file at for those that write it.
func (at place) name() name { return name{at.origin, at.key} }

// dir is the prefix of the keys in the directory of this name.
func (at place) dir() string {
	if at.key == "" {
		return at.prefix
	}
	return at.key + "/"
}

// parent is the directory that at, which is not fixed, is in. The same mount covers both.
func (f *FS) parent(at place) place {
	up, _ := f.find("parent", at.path.Parent()) // cannot fail: it is shorter than at, and part of it
	return up
}

// below returns the names in directory p that lead to mounts, in the order of a listing.
func (f *FS) below(p ftp.Path) []other {
	var names []string
	for _, m := range f.mounts {
		if rest, ok := strings.CutPrefix(m.path, text(p)+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(a+"/", b+"/") })
	var others []other
	for _, n := range slices.Compact(names) {
		others = append(others, other{name: n})
	}
	return others
}

// isDir tells whether the store holds anything of the directory at, by at most one
// request.
func isDir(ctx context.Context, at place) (bool, error) {
	if at.fixed {
		return true, nil
	}
	if len(at.dir()) > backends.MaxKey {
		return false, nil
	}
	return backends.HasPrefix(ctx, at.store, at.dir())
}

// knownDir tells whether at is known to be a directory, without a request.
func knownDir(at place) bool {
	exists, known := backends.PeekPrefix(at.store, at.dir())
	return exists && known
}

// vacant fails with fs.ErrExist if there is a file. What the credentials may not see does
// not count: the condition of the write that follows decides.
func vacant(ctx context.Context, op string, at place) error {
	_, err := at.store.Stat(ctx, at.key, backends.StatOptions{})
	switch {
	case err == nil:
		return refuse(op, at.path, fs.ErrExist)
	case invisible(err):
		return nil
	}
	return translate(err)
}

// noFile is the error for a path where there is no file: ftp.ErrIsDir if there is a
// directory, else fs.ErrNotExist.
func noFile(ctx context.Context, op string, at place) error {
	dir, err := isDir(ctx, at)
	switch {
	case err != nil && !invisible(err):
		return translate(err)
	case dir:
		return refuse(op, at.path, ftp.ErrIsDir)
	}
	return refuse(op, at.path, fs.ErrNotExist)
}

// invisible tells whether a look at the store failed because there is nothing, or nothing
// that the credentials may see.
func invisible(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
