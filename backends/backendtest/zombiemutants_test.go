package backendtest_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"causeway/backends"
)

// forgetsConditions looks at conditions at the commit of the upload that was begun with
// them, and no later one.
type forgetsConditions struct{ parking }

func (m forgetsConditions) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	asked := o
	if o.At > 0 && o.Resume == "" {
		return m.append(ctx, key, o)
	}
	o.IfMatch, o.IfAbsent = "", false
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		next := u.Upload
		u.commit = func() (backends.Object, error) {
			obj, err := m.Stat(ctx, key, backends.StatOptions{})
			if asked.IfAbsent && err == nil {
				return backends.Object{}, &backends.Error{Op: "commit", Key: key, Kind: fs.ErrExist}
			}
			if asked.IfMatch != "" && obj.ETag != asked.IfMatch {
				return backends.Object{}, &backends.Error{Op: "commit", Key: key, Kind: backends.ErrChanged}
			}
			return next.Commit()
		}
	})
}

// append writes the octets that are kept once more.
func (m forgetsConditions) append(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	r, err := m.Open(ctx, key, backends.OpenOptions{IfMatch: o.IfMatch, Length: o.At})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	o.At = 0
	u, err := m.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(u, r)
	return u, err
}

// unguarded appends without a condition at the commit.
type unguarded struct{ parking }

func (m unguarded) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.At == 0 {
		return m.parking.Create(ctx, key, o)
	}
	return forgetsConditions(m).append(ctx, key, backends.CreateOptions{At: o.At})
}

// abortsOthers removes with an aborted upload whatever there is of its key.
type abortsOthers struct{ parking }

func (m abortsOthers) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		next := u.Upload
		u.abort = func() error {
			return errors.Join(next.Abort(), discardAll(context.WithoutCancel(ctx), m.Reopen(), key))
		}
	})
}

// mixesAttempts has one place for the octets of a key, whoever writes them.
type mixesAttempts struct {
	parking
	places map[string]*[]byte
}

func (m mixesAttempts) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		next := u.Upload
		if m.places[key] == nil {
			m.places[key] = new([]byte)
		}
		place := m.places[key]
		*place = (*place)[:o.At]
		u.write = func(p []byte) (int, error) {
			*place = append(*place, p...)
			return next.Write(p)
		}
		u.commit = func() (backends.Object, error) {
			if err := store(m.parking, key, *place); err != nil {
				return backends.Object{}, err
			}
			return m.Stat(ctx, key, backends.StatOptions{})
		}
	})
}

// tellsItsOwn tells of the uploads that it is writing, as another process does.
type tellsItsOwn struct{ parking }

func (m tellsItsOwn) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	return m.Reopen().Parked(ctx, q)
}

// triesOnce takes one other key and no more.
type triesOnce struct{ parking }

func (m triesOnce) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	next := o.Alternate
	if next == nil {
		return m.parking.Create(ctx, key, o)
	}
	ctx, cancel := context.WithCancel(ctx)
	tries := 0
	o.Alternate = func() string {
		if tries++; tries > 1 {
			cancel()
		}
		return next()
	}
	return m.parking.Create(ctx, key, o)
}

// overwritesInstead takes the key although it is taken.
type overwritesInstead struct{ parking }

func (m overwritesInstead) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Alternate != nil {
		o.IfAbsent = false
	}
	return m.parking.Create(ctx, key, o)
}

// takesSiblings forgets the slash at the end of a directory that is renamed.
type takesSiblings struct{ parking }

func (m takesSiblings) MoveTree(ctx context.Context, dst, src string) error {
	return trees{m.Reopen()}.MoveTree(ctx, strings.TrimSuffix(dst, "/"), strings.TrimSuffix(src, "/"))
}
