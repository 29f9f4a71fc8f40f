package vfs

import (
	"context"
	"errors"
	"math"

	"causeway/backends"
	"causeway/gateway/ftp"
	"causeway/gateway/quota"
)

// Space is [ftp.FS.Space]. What may not be entered has no space to tell of.
func (f *FS) Space(ctx context.Context, dir ftp.Path) (int64, error) {
	if err := f.Enter(ctx, dir); err != nil {
		return 0, err
	}
	at, err := f.find("space", dir)
	switch {
	case err != nil:
		return 0, err
	case at.mount == nil:
		return 0, refuse("space", dir, errors.ErrUnsupported)
	}
	n, err := backends.Space(ctx, at.store)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return 0, translate(err)
	}
	usages, limited := at.usages(ctx)
	if limited != nil {
		return 0, translate(limited)
	}
	for _, u := range usages {
		if left := u.Left(); left < math.MaxInt64 && (err != nil || left < n) {
			n, err = left, nil
		}
	}
	return n, err
}

// usages are those of the limited trees that the directory at is in, but for those that
// reach beyond its mount.
func (at place) usages(ctx context.Context) ([]quota.Usage, error) {
	if at.ledger == nil {
		return nil, nil
	}
	return at.ledger.Usage(ctx, at.dir(), at.prefix)
}

// Quota is [ftp.FS.Quota]. It tells nothing of whether the directory is there.
func (f *FS) Quota(ctx context.Context, dir ftp.Path) ([]ftp.Quota, error) {
	at, err := f.find("quota", dir)
	if err != nil || at.mount == nil {
		return nil, err
	}
	usages, err := at.usages(ctx)
	if err != nil {
		return nil, translate(err)
	}
	var all []ftp.Quota
	for _, u := range usages {
		limited, err := (ftp.Path{}).Join(at.mount.path + "/" + u.Prefix[len(at.prefix):])
		if err != nil {
			return nil, err
		}
		all = append(all, ftp.Quota{
			Dir: limited, Bytes: u.Used.Bytes, Files: u.Used.Files, MaxBytes: u.Limit.Bytes, MaxFiles: u.Limit.Files,
		})
	}
	return all, nil
}
