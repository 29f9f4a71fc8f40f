package vfs

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/backends"
	"causeway/gateway/ftp"
)

const (
	// maxCopies is how many objects of a directory are copied, or deleted, at a time.
	maxCopies = 16
	// progress is after how many objects the log tells how far a rename is.
	progress = 1000
)

// treeRename is a rename of a directory on its way.
type treeRename struct {
	fs       *FS
	src, dst place
	log      *slog.Logger
	done     atomic.Int64 // objects copied or deleted in this phase
}

// renameDir ends a rename of the directory src: at once where the store can, else by
// copying all that is in it and deleting it when every copy is durable. If that is cut
// short, the same rename goes on with it.
func (f *FS) renameDir(ctx context.Context, src place, to ftp.Path) error {
	dst, err := f.destination(src, to)
	switch {
	case errors.Is(err, ftp.ErrIsDir):
		return refuse("rename", to, fs.ErrExist)
	case err != nil:
		return err
	case len(dst.dir()) > backends.MaxKey:
		return refuse("rename", to, fs.ErrInvalid)
	case dst.bucket != src.bucket:
	case dst.key == src.key:
		return refuse("rename", to, fs.ErrExist)
	case strings.HasPrefix(dst.key, src.dir()):
		return refuse("rename", to, fs.ErrInvalid)
	}
	release, err := f.claimBoth(src, dst)
	if err != nil {
		return err
	}
	defer release()
	r := &treeRename{fs: f, src: src, dst: dst, log: f.logOf(ctx).With("from", src.path.String(), "to", dst.path.String())}
	older, err := dst.parkedUploads(ctx, backends.ParkedQuery{Prefix: dst.dir(), Fresh: true})
	if err == nil {
		err = translate(r.run(ctx))
	}
	f.told.forget(src.path)
	f.told.forget(dst.path)
	if err != nil {
		return err
	}
	r.supersede(ctx, older)
	f.recent.moveAll(src.path, dst.path)
	if dir := f.parent(src); dst.bucket != src.bucket || !strings.HasPrefix(dst.key, dir.dir()) {
		f.keep(ctx, dir)
	}
	return nil
}

// claimBoth makes a rename the only one of its two directories.
func (f *FS) claimBoth(src, dst place) (release func(), err error) {
	one := f.names.claim(name{src.origin, src.dir()})
	if one == nil {
		return nil, refuse("rename", src.path, ftp.ErrBusy)
	}
	two := f.names.claim(name{dst.origin, dst.dir()})
	if two == nil {
		one()
		return nil, refuse("rename", dst.path, ftp.ErrBusy)
	}
	return func() { two(); one() }, nil
}

func (r *treeRename) run(ctx context.Context) error {
	taken, err := r.taken(ctx)
	if err != nil {
		return err
	}
	if err := r.permitted(ctx); err != nil {
		return err
	}
	if !taken && r.dst.bucket == r.src.bucket {
		if err := r.move(ctx); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	j, err := r.journal(ctx, taken)
	if err != nil {
		return err
	}
	began := time.Now()
	if j.Phase == copying {
		err = r.copyAll(ctx, j)
	}
	left := false
	if err == nil {
		left, err = r.clear(ctx, j)
	}
	if err != nil {
		r.log.Warn("directory rename stopped; the same rename goes on with it", "phase", j.Phase, "objects", r.done.Load(), "took", time.Since(began))
		return err
	}
	r.forget(ctx, j)
	r.log.Info("directory renamed", "objects", len(j.sources), "took", time.Since(began))
	if left {
		return refuse("rename", r.src.path, ftp.ErrChanged)
	}
	return nil
}

// permitted fails with fs.ErrPermission if something in the directory would come out of
// hiding or go into it, or get a name that is denied. Names that mean the same everywhere
// in a mount are not looked at within it.
func (r *treeRename) permitted(ctx context.Context) error {
	src, dst := r.src.mount, r.dst.mount
	same := src == dst
	if same && !dst.hide.Anchored() && !dst.deny.Anchored() || len(src.hide)+len(dst.hide)+len(dst.deny) == 0 {
		return nil
	}
	from, to := src.relative(r.src.path)+"/", dst.relative(r.dst.path)+"/"
	for o, err := range r.objects(ctx, r.src) {
		if err != nil {
			return translate(err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(o.Key, r.src.dir()), "/")
		denied := dst.deny.Match(to+name) && !(same && src.deny.Match(from+name))
		if name != "" && (denied || src.hide.Match(from+name) != dst.hide.Match(to+name)) {
			return refuse("rename", r.dst.path, fs.ErrPermission)
		}
	}
	return nil
}

// move renames the directory at once.
func (r *treeRename) move(ctx context.Context) error {
	m, ok := r.src.store.(backends.TreeMover)
	if !ok {
		return errors.ErrUnsupported
	}
	err := m.MoveTree(ctx, r.dst.dir(), r.src.dir())
	if err == nil {
		r.fs.names.filledBelow(name{r.dst.origin, r.dst.dir()})
	}
	return err
}

// supersede ends those of the uploads older of which a file has taken the name. A file that
// was renamed at once keeps its time, and they would seem to be newer.
func (r *treeRename) supersede(ctx context.Context, older []backends.Parked) {
	older = slices.DeleteFunc(older, func(p backends.Parked) bool {
		_, err := r.dst.store.Stat(ctx, p.Key, backends.StatOptions{})
		return err != nil
	})
	r.fs.supersede(ctx, r.dst, older)
}

// taken tells whether there is a file or directory of the new name. The store is asked:
// what is remembered may be too old to put other files among those of a directory.
func (r *treeRename) taken(ctx context.Context) (bool, error) {
	switch err := vacant(ctx, "rename", r.dst); {
	case errors.Is(err, fs.ErrExist):
		return true, nil
	case err != nil:
		return false, err
	}
	key, err := r.dst.first(ctx, r.dst.dir())
	return key != "", err
}

// first is the first key of at's store that begins with prefix, "" if there is none. The
// store is asked.
func (at place) first(ctx context.Context, prefix string) (string, error) {
	q := backends.Query{Prefix: prefix, Limit: 1, Fresh: true}
	for {
		page, err := at.store.List(ctx, q)
		switch {
		case err != nil:
			return "", err
		case len(page.Objects) > 0:
			return page.Objects[0].Key, nil
		case page.Next == "":
			return "", nil
		}
		q.Token = page.Next
	}
}

// copyAll copies all that is in the directory and notes that it may be deleted.
func (r *treeRename) copyAll(ctx context.Context, j *journal) error {
	sources, err := r.sources(ctx)
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		return refuse("rename", r.src.path, fs.ErrNotExist)
	}
	r.log.Info("renaming a directory", "objects", len(sources))
	if err := j.save(ctx, r.dst.store); err != nil {
		return err
	}
	letGo := r.hold(ctx, j)
	err = r.each(ctx, "copied", sources, r.copy)
	letGo()
	if err != nil {
		return err
	}
	j.Phase, j.sources = deleting, sources
	return j.save(ctx, r.dst.store)
}

// sources are the objects in the directory, of which no more are told than may be renamed.
// What the gateways keep below is their own.
func (r *treeRename) sources(ctx context.Context) ([]source, error) {
	var found []source
	for o, err := range r.objects(ctx, r.src) {
		if err != nil {
			return nil, err
		}
		s := source{Name: strings.TrimPrefix(o.Key, r.src.dir()), ETag: o.ETag, size: o.Size}
		if s.reserved() {
			continue
		}
		if found = append(found, s); len(found) > r.src.renameLimit {
			return nil, refuse("rename", r.src.path, ftp.ErrTooMany)
		}
		if !backends.ValidKey(o.Key) || !backends.ValidKey(r.dst.dir()+s.Name) {
			return nil, refuse("rename", r.dst.path, fs.ErrInvalid)
		}
	}
	return found, nil
}

// objects yields those in one of the two directories. The store is asked. An error is the
// last that is yielded.
func (r *treeRename) objects(ctx context.Context, at place) iter.Seq2[backends.Object, error] {
	return func(yield func(backends.Object, error) bool) {
		q := backends.Query{Prefix: at.dir(), Fresh: true}
		for range r.src.renameLimit + 2 { // empty pages are legal, but not for ever
			page, err := at.store.List(ctx, q)
			if err != nil {
				yield(backends.Object{}, err)
				return
			}
			for _, o := range page.Objects {
				if !yield(o, nil) {
					return
				}
			}
			if q.Token = page.Next; q.Token == "" {
				return
			}
		}
		yield(backends.Object{}, refuse("rename", at.path, ftp.ErrUnavailable))
	}
}

// each does something with all sources, several at a time, until it fails for one.
func (r *treeRename) each(ctx context.Context, what string, sources []source, do func(context.Context, source) error) error {
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(maxCopies)
	r.done.Store(0)
	for _, s := range sources {
		if working.Err() != nil {
			break
		}
		group.Go(func() error {
			err := do(working, s)
			if n := r.done.Add(1); n%progress == 0 && err == nil {
				r.log.Info("directory rename goes on", "phase", what, "objects", n, "of", len(sources))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ended(ctx)
}
