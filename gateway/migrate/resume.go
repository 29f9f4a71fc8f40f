package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"

	"causeway/backends"
)

// tag is version, but "" for what is too small to be gone on with.
func (m *migration) tag(p pair) string {
	if p.from.Size < large {
		return ""
	}
	return m.version(p)
}

// version names the version of a source that is being copied, by all that tells it from others.
func (m *migration) version(p pair) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %q", m.From.Prefix+p.name, p.from.Size, p.from.ETag))
	return base32.StdEncoding.EncodeToString(sum[:])[:26]
}

// resume goes on with an upload of the same version of the source that has been parked, or
// whose run was killed, and tells how many octets it has: nil and 0 if there is none. What
// other versions have left is discarded. One that another run is writing is taken from it,
// which hears of it at its commit at the latest.
func (m *migration) resume(ctx context.Context, p pair) (backends.Upload, int64, error) {
	tag := m.tag(p)
	if tag == "" {
		return nil, 0, nil
	}
	u, at, err := m.resumeTagged(ctx, p, tag)
	if err == nil && m.Resumed != nil {
		m.Resumed(p.name, at)
	}
	return u, at, err
}

// resumeTagged is resume with the tag of the version.
func (m *migration) resumeTagged(ctx context.Context, p pair, tag string) (backends.Upload, int64, error) {
	key := m.To.Prefix + p.name
	best, err := m.parked(ctx, key, tag)
	if err != nil || best.Size == 0 {
		return nil, 0, err
	}
	o := p.conditions()
	o.Resume, o.At, o.Tag = best.ID, best.Size, tag
	u, err := m.To.Store.Create(ctx, key, o)
	switch {
	case errors.Is(err, backends.ErrRange), errors.Is(err, errors.ErrUnsupported):
		return nil, 0, backends.Discard(ctx, m.To.Store, best)
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	}
	return u, best.Size, nil
}

// parked is the longest upload of key with a tag, the zero value if there is none. All others
// that have any tag are discarded: no client's has.
func (m *migration) parked(ctx context.Context, key, tag string) (backends.Parked, error) {
	var best backends.Parked
	var others []backends.Parked
	for u, err := range backends.ParkedUploads(ctx, m.To.Store, backends.ParkedQuery{Prefix: key, Direct: true, Fresh: true}) {
		switch {
		case errors.Is(err, fs.ErrPermission): // nor can it be parked then
			return backends.Parked{}, nil
		case err != nil:
			return backends.Parked{}, err
		case u.Key != key || u.Tag == "":
		case u.Tag == tag && u.Size > best.Size:
			best, u = u, best
			fallthrough
		default:
			others = append(others, u)
		}
	}
	for _, u := range others {
		if u.ID == "" {
			continue // what best was before the first
		}
		if err := backends.Discard(ctx, m.To.Store, u); err != nil {
			return backends.Parked{}, err
		}
	}
	return best, nil
}
