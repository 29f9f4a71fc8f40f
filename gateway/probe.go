package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"time"

	"causeway/backends"
)

// probeTimeout bounds one try, with the store's own retries.
const probeTimeout = 30 * time.Second

// probe tries the permissions in one place of a store.
type probe struct {
	store backends.Backend
	target
	key  string
	tree bool // the store is a server of files, which has directories and nothing of ours
	left bool // the object could not be deleted
}

// tried tells whether a permission is tried here.
func (p *probe) tried(perm permission) bool { return slices.Contains(p.tries, perm) }

func (p *probe) run(ctx context.Context) map[permission]error {
	results := p.first(ctx)
	if silent(results[put]) && silent(results[list]) {
		results[get], results[discard] = errSilent, errSilent
		return results
	}
	written := p.tried(put) && results[put] == nil
	switch {
	case written:
		results[get] = bounded(ctx, p.get)
	case p.tried(get):
		results[get] = bounded(ctx, p.getAny)
	}
	if written || p.tried(discard) {
		// To delete what is not there is refused, too, to those who may not delete.
		results[discard] = bounded(ctx, p.discard)
	}
	p.left = written && results[discard] != nil
	return results
}

// silent tells whether the store has said nothing, as opposed to something that is no
// use: a wrong key, no such bucket.
func silent(err error) bool {
	var dial *net.OpError
	var timeout net.Error
	return errors.Is(err, backends.ErrUnavailable) && (errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &dial) || errors.As(err, &timeout) && timeout.Timeout())
}

// outOfOrder tells whether nothing works, for a reason that is not one of permissions.
func outOfOrder(results map[permission]error) bool {
	return errors.Is(results[put], backends.ErrUnavailable) && errors.Is(results[list], backends.ErrUnavailable)
}

// first tries to put and to list at a time: where there is no answer, that is seen in the
// time of one.
func (p *probe) first(ctx context.Context) map[permission]error {
	listed := make(chan error, 1)
	go func() { listed <- bounded(ctx, p.list) }()
	results := map[permission]error{}
	if p.tried(put) {
		results[put] = bounded(ctx, p.put)
	}
	results[list] = <-listed
	if !p.tried(put) {
		results[put] = results[list] // it was not asked, and would say the same if it does not answer
	}
	return results
}

func bounded(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return try(ctx)
}

// content is what the probe's object holds.
const content = "written by causeway check; may be deleted\n"

func (p *probe) put(ctx context.Context) error {
	u, err := p.store.Create(ctx, p.key, backends.CreateOptions{Size: int64(len(content)), ContentType: "text/plain"})
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // the first error is the one to tell
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

func (p *probe) list(ctx context.Context) error {
	if !p.tree {
		_, err := p.store.List(ctx, backends.Query{Prefix: p.dir, Limit: 1})
		return err
	}
	// To be told that our own directory is not there proves nothing.
	prefix := strings.TrimSuffix(p.dir, backends.Reserved+"/")
	page, err := p.store.List(ctx, backends.Query{Prefix: prefix, Delimiter: true, Limit: 2})
	if err == nil && prefix != "" && len(page.Objects) == 0 {
		return errNoDirectory
	}
	return err
}

// get reads the probe's own object back. Credentials that may not know that it exists,
// though it does, may not read it.
func (p *probe) get(ctx context.Context) error {
	_, err := p.store.Stat(ctx, p.key, backends.StatOptions{Complete: true})
	if err == nil {
		err = p.read(ctx, p.key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrPermission
	}
	return err
}

func (p *probe) read(ctx context.Context, key string) error {
	r, err := p.store.Open(ctx, key, backends.OpenOptions{Length: int64(len(content))})
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(r, int64(len(content))))
	if err == nil && key == p.key && !bytes.Equal(data, []byte(content)) {
		return errors.New("what was read is not what was written")
	}
	return err
}

// getAny reads from some object of the mounts, for stores that may not be written to.
func (p *probe) getAny(ctx context.Context) error {
	q := backends.Query{Prefix: strings.TrimSuffix(p.dir, backends.Reserved+"/"), Limit: 1}
	if p.tree { // whose directories come first, and are no files
		q.Delimiter, q.Limit = true, 1000
	}
	page, err := p.store.List(ctx, q)
	files := slices.DeleteFunc(page.Objects, func(o backends.Object) bool { return p.tree && strings.HasSuffix(o.Key, "/") })
	if err != nil || len(files) == 0 {
		return errUntried
	}
	return p.read(ctx, files[0].Key)
}

// discard deletes the probe's object, and on stores that are trees its directory.
func (p *probe) discard(ctx context.Context) error {
	if err := p.store.Delete(ctx, p.key, backends.DeleteOptions{}); err != nil {
		return err
	}
	return p.store.Delete(ctx, p.dir, backends.DeleteOptions{})
}
