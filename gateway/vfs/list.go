package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// List is [ftp.FS.List]. Without the right, or where the gateway's own credentials may not
// list, it yields no more than the mounts there.
func (f *FS) List(ctx context.Context, dir ftp.Path) iter.Seq2[ftp.Entry, error] {
	return func(yield func(ftp.Entry, error) bool) {
		at, err := f.find("list", dir)
		if err == nil && at.mount == nil && !at.fixed {
			err = refuse("list", dir, fs.ErrNotExist)
		}
		if err != nil {
			yield(ftp.Entry{}, err)
			return
		}
		l := listing{fs: f, at: at, mounts: f.below(dir), yield: yield}
		l.run(ctx)
	}
}

// listing is one listing on its way.
type listing struct {
	fs     *FS
	at     place
	mounts []string // names that lead to mounts and are still to be told, in order
	yield  func(ftp.Entry, error) bool

	found  bool // the store holds something of the directory
	hidden int
	first  string // the first key hidden, or what the first keys hidden begin with
}

func (l *listing) run(ctx context.Context) {
	defer l.report()
	if l.at.mount != nil && l.at.rights.has(List) {
		if !l.store(ctx) {
			return
		}
	}
	l.mountsBefore("")
}

// store yields what the store holds, merged with the mounts. It returns false when the
// sequence has ended.
func (l *listing) store(ctx context.Context) bool {
	for e, err := range backends.Entries(ctx, l.at.store, l.at.dir()) {
		if errors.Is(err, fs.ErrPermission) && !l.found {
			return true
		}
		if err != nil {
			l.yield(ftp.Entry{}, translate(err))
			return false
		}
		l.found = true
		if !l.entry(e) {
			return false
		}
	}
	if !l.found && !l.at.fixed {
		l.yield(ftp.Entry{}, refuse("list", l.at.path, fs.ErrNotExist))
		return false
	}
	return true
}

// entry yields one entry of the store if it can be shown.
func (l *listing) entry(e backends.Entry) bool {
	if e.Name == "" && e.Object.Key != "" || e.Name == backends.Reserved {
		return true // the directory's own marker; the gateway's own
	}
	// A name is shown if the parser makes it a path of its own just below this one.
	path, err := l.at.path.Join(e.Name)
	if err != nil || e.Name == "" || path.Base() != e.Name || path.Parent() != l.at.path {
		l.hide(e)
		return true
	}
	if !l.mountsBefore(e.Name + "/") {
		return false
	}
	if len(l.mounts) > 0 && l.mounts[0] == e.Name {
		return true // a mount hides what the store holds under its name
	}
	child := place{path: path, mount: l.at.mount, key: l.at.dir() + e.Name}
	if e.Dir {
		return l.yield(child.dirEntry(), nil)
	}
	return l.yield(child.entry(e.Object), nil)
}

// mountsBefore yields the mounts that come before name, all of them if it is "".
func (l *listing) mountsBefore(name string) bool {
	for len(l.mounts) > 0 && (name == "" || l.mounts[0]+"/" < name) {
		path, err := l.at.path.Join(l.mounts[0])
		if err != nil {
			return l.yield(ftp.Entry{}, err)
		}
		l.mounts = l.mounts[1:]
		child, err := l.fs.find("list", path)
		if !l.yield(child.dirEntry(), err) || err != nil {
			return false
		}
	}
	return true
}

// hide counts an entry that FTP cannot show.
func (l *listing) hide(e backends.Entry) {
	if l.hidden == 0 {
		l.first = l.at.dir() + e.Name
		if e.Dir {
			l.first += "/"
		}
	}
	l.hidden++
}

// report logs how much was left out.
func (l *listing) report() {
	if l.hidden == 0 {
		return
	}
	l.fs.log.Warn("listing leaves out keys that FTP cannot name", "path", l.at.path.String(), "key", l.first, "keys", l.hidden)
}
