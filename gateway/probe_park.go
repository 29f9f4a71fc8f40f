package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"

	"causeway/backends"
	"causeway/configs"
)

// parkTarget is a place in a store where uploads are stored, and so may have to be parked;
// false if no mount stores anything there. One place tells it for the whole store: what is
// parked is written down at the bucket's root.
func parkTarget(cfg *configs.Config, store string) (dir string, stores bool) {
	needs := needsOf(cfg, store, nil)
	for _, prefix := range slices.Sorted(maps.Keys(needs)) {
		if needs[prefix][put] {
			return prefix + backends.Reserved + "/", true
		}
	}
	return "", false
}

// park parks an upload, finds it, goes on with it and ends it, as the gateway does with
// one that was cut off. If it cannot be found it is not begun.
func (p *probe) park(ctx context.Context) error {
	if _, err := p.parked(ctx); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	u, err := p.store.Create(ctx, p.key, backends.CreateOptions{})
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // the first error is the one to tell
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	if _, err := u.Park(); err != nil {
		return err
	}
	parked, err := p.parked(ctx)
	if err != nil {
		return err
	}
	resumed, err := p.store.Create(ctx, p.key, backends.CreateOptions{Resume: parked.ID, At: parked.Size})
	if err == nil {
		err = resumed.Abort()
	} else {
		err = errors.Join(err, backends.Discard(ctx, p.store, parked))
	}
	return err
}

// parked finds the probe's upload; fs.ErrNotExist if it is not parked, ErrUnsupported
// where nothing can be.
func (p *probe) parked(ctx context.Context) (backends.Parked, error) {
	parker, ok := p.store.(backends.Parker)
	if !ok {
		return backends.Parked{}, errors.ErrUnsupported
	}
	q := backends.ParkedQuery{Prefix: p.key, Direct: true, Fresh: true}
	for {
		page, err := parker.Parked(ctx, q)
		if err != nil {
			return backends.Parked{}, err
		}
		if len(page.Uploads) > 0 {
			return page.Uploads[0], nil
		}
		if q.Token = page.Next; q.Token == "" {
			return backends.Parked{}, fs.ErrNotExist
		}
	}
}

// judgePark is [judge] of what no mount needs and all are better for.
func judgePark(err error, grant string) verdict {
	switch {
	case err == nil:
		return verdict{"ok", true}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, errors.ErrUnsupported):
		return verdict{"denied: uploads that are cut off are lost, and what a killed gateway leaves is not found; grant " + grant, true}
	default:
		return verdict{fmt.Sprintf("failed: uploads that are cut off may be lost: %s", escape(err.Error())), true}
	}
}
