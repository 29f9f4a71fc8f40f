package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"

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
		l := listing{fs: f, at: at, others: f.below(dir), yield: yield}
		l.run(ctx)
	}
}

// listing is one listing on its way.
type listing struct {
	fs     *FS
	at     place
	others []other // what is still to be told beside the objects, in the order of a listing
	yield  func(ftp.Entry, error) bool

	found  bool // the store holds something of the directory
	hidden int
	first  string // the first key hidden, or what the first keys hidden begin with
}

// other is an entry of a listing that is no object: a name that leads to a mount, or a
// parked upload.
type other struct {
	name   string
	parked *backends.Parked
}

func (l *listing) run(ctx context.Context) {
	defer l.report(ctx)
	if l.at.mount != nil && l.at.rights.has(List) {
		if err := l.park(ctx); err != nil {
			l.yield(ftp.Entry{}, err)
			return
		}
		if !l.store(ctx) {
			return
		}
	}
	l.before("")
}

// store yields what the store holds, merged with the others. It returns false when the
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
	if l.found || l.at.fixed || len(l.others) > 0 {
		return true
	}
	exists, err := l.at.parkedBelow(ctx)
	if err == nil && !exists {
		err = refuse("list", l.at.path, fs.ErrNotExist)
	}
	if err != nil {
		l.yield(ftp.Entry{}, err)
	}
	return err == nil
}

// entry yields one entry of the store if it can be shown.
func (l *listing) entry(e backends.Entry) bool {
	if e.Name == "" && e.Object.Key != "" || e.Name == backends.Reserved {
		return true // the directory's own marker; the gateway's own
	}
	child, ok := l.child(e.Name)
	switch {
	case !ok:
		l.hide(e)
		return true
	case child.hides(child.path):
		return true
	}
	if !l.before(e.Name + "/") {
		return false
	}
	if len(l.others) > 0 && l.others[0].name == e.Name {
		other := l.others[0]
		switch {
		case other.parked == nil:
			return true // a mount hides what the store holds under its name
		case !e.Dir && child.precedes(*other.parked, &e.Object):
			l.others = l.others[1:]
			return l.yield(child.parkedEntry(*other.parked, &e.Object), nil)
		}
		l.others = l.others[1:]
	}
	if e.Dir {
		return l.yield(child.dirEntry(), nil)
	}
	return l.yield(child.entry(e.Object), nil)
}

// child is the place of a name in the directory. False if no client could name it: the
// parser does not make it a path of its own just below.
func (l *listing) child(name string) (place, bool) {
	path, err := l.at.path.Join(name)
	if err != nil || name == "" || path.Base() != name || path.Parent() != l.at.path {
		return place{}, false
	}
	return place{path: path, mount: l.at.mount, key: l.at.dir() + name}, true
}

// before yields the others that come before name, all of them if it is "".
func (l *listing) before(name string) bool {
	for len(l.others) > 0 && (name == "" || l.others[0].name+"/" < name) {
		e, err := l.other(l.others[0])
		l.others = l.others[1:]
		if !l.yield(e, err) || err != nil {
			return false
		}
	}
	return true
}

func (l *listing) other(o other) (ftp.Entry, error) {
	path, err := l.at.path.Join(o.name)
	if err != nil {
		return ftp.Entry{}, err
	}
	if o.parked != nil {
		child := place{path: path, mount: l.at.mount, key: o.parked.Key}
		return child.parkedEntry(*o.parked, nil), nil
	}
	child, err := l.fs.find("list", path)
	return child.dirEntry(), err
}

// park adds the uploads that are parked in the directory, the newest of each name, to the
// others. A mount hides those of its name.
func (l *listing) park(ctx context.Context) error {
	found, err := l.at.parkedUploads(ctx, backends.ParkedQuery{Prefix: l.at.dir(), Direct: true})
	if err != nil {
		return err
	}
	if len(found) == maxParked {
		l.fs.logOf(ctx).Warn("listing may leave out parked uploads", "path", l.at.path.String(), "uploads", maxParked)
	}
	slices.SortFunc(found, newestFirst)
	for _, p := range found {
		name := strings.TrimPrefix(p.Key, l.at.dir())
		if child, ok := l.child(name); ok && name != backends.Reserved && !child.hides(child.path) {
			l.others = append(l.others, other{name, &p})
		}
	}
	slices.SortStableFunc(l.others, func(a, b other) int { return strings.Compare(a.name+"/", b.name+"/") })
	l.others = slices.CompactFunc(l.others, func(a, b other) bool { return a.name == b.name })
	return nil
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
func (l *listing) report(ctx context.Context) {
	if l.hidden == 0 {
		return
	}
	l.fs.logOf(ctx).Warn("listing leaves out keys that FTP cannot name", "path", l.at.path.String(), "key", l.first, "keys", l.hidden)
}
