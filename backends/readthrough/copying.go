package readthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"time"

	"causeway/backends"
	"causeway/backends/readahead"
)

// commitTimeout bounds how long a reader that has all octets waits for its copy.
const commitTimeout = time.Minute

// draft is a copy of a version behind on its way into the front.
type draft struct {
	look
	source backends.Object // as Behind describes it
	upload backends.Upload
	size   int64 // octets written
}

// draft begins a copy, on condition that the front still has what it has. Metadata that is not
// nil is the copy's in the place of the source's.
func (l look) draft(ctx context.Context, source backends.Object, here *backends.Object, metadata map[string]string) (*draft, error) {
	o := backends.CreateOptions{IfAbsent: here == nil, Size: source.Size, ContentType: l.contentType(source), Metadata: metadata}
	if here != nil {
		o.IfMatch = here.ETag
	}
	if metadata == nil {
		o.Metadata = timed(source)
	}
	u, err := l.routes.own.Create(ctx, l.key, o)
	if err != nil {
		return nil, err
	}
	return &draft{look: l, source: source, upload: u}, nil
}

// contentType is that of a copy.
func (l look) contentType(source backends.Object) string {
	if source.ContentType == "" && l.routes.o.ContentType != nil {
		return l.routes.o.ContentType(l.key)
	}
	return source.ContentType
}

// timed is the metadata of an object with its time.
func timed(obj backends.Object) map[string]string {
	metadata := map[string]string{}
	maps.Copy(metadata, obj.Metadata)
	metadata[backends.MetaModTime] = backends.FormatModTime(obj.Time())
	return metadata
}

func (d *draft) Write(p []byte) (int, error) {
	n, err := d.upload.Write(p)
	d.size += int64(n)
	return n, err
}

// commit makes the copy an object if all of it has come, and nobody has deleted or written the
// key here since. Another gateway that deletes the key at this moment writes its tombstone
// before it deletes what is here, so who finds none after the commit has not resurrected it.
func (d *draft) commit(ctx context.Context) (backends.Object, error) {
	if d.size != d.source.Size {
		return backends.Object{}, &backends.Error{Op: "copy", Key: d.key, Kind: backends.ErrUnavailable,
			Err: fmt.Errorf("%d octets of %d", d.size, d.source.Size)}
	}
	unlock, err := d.routes.keys.lock(ctx, d.key)
	if err != nil {
		return backends.Object{}, err
	}
	defer unlock()
	d.fresh = true
	if err := d.allowed(ctx); err != nil {
		return backends.Object{}, err
	}
	obj, err := d.upload.Commit()
	if errors.Is(err, fs.ErrExist) {
		return backends.Object{}, changed("copy", d.key)
	}
	if err != nil {
		return backends.Object{}, err
	}
	if err := d.allowed(ctx); err != nil {
		return backends.Object{}, errors.Join(err, d.routes.own.Delete(ctx, d.key, backends.DeleteOptions{IfMatch: obj.ETag}))
	}
	d.routes.tell(ctx, d.route, Copied, d.key, nil)
	return obj, nil
}

// allowed fails with ErrChanged if what is copied was deleted here.
func (d *draft) allowed(ctx context.Context) error {
	hidden, err := d.hidden(ctx, d.source.ModTime)
	if err == nil && hidden {
		err = changed("copy", d.key)
	}
	return err
}

// take makes a copy of the version behind that v is, and waits for it.
func (l look) take(ctx context.Context, v version, metadata map[string]string) (backends.Object, error) {
	etag, _ := pinned(v.object.ETag)
	r, err := readahead.Open(ctx, l.route.Behind, l.route.behind(l.key), backends.OpenOptions{IfMatch: etag})
	if err != nil {
		return backends.Object{}, l.failed(ctx, err)
	}
	d, err := l.draft(ctx, r.Object, v.here, metadata)
	if err != nil {
		_ = r.Close() // nothing was read
		return backends.Object{}, err
	}
	defer d.upload.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	_, err = io.Copy(d, r)
	if closeErr := r.Close(); err == nil {
		err = l.failed(ctx, closeErr)
	}
	if err != nil {
		return backends.Object{}, err
	}
	return d.commit(ctx)
}

// copying stores what is read from behind on its way, as long as that goes well: the reader gets
// the octets whatever becomes of the copy. Where the key is being copied already, or the store
// does not begin, it is r itself.
func (l look) copying(ctx context.Context, r *backends.Reader, source backends.Object, here *backends.Object) *backends.Reader {
	if !l.routes.claim(l.key) {
		return r
	}
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d, err := l.draft(detached, source, here, nil)
	if err != nil {
		cancel()
		l.routes.release(l.key)
		l.routes.tell(ctx, l.route, NotCopied, l.key, err)
		return r
	}
	// Who goes away in the middle ends the copy, not who does at its end.
	c := &copying{next: r.ReadCloser, draft: d, ctx: detached, cancel: cancel, stay: context.AfterFunc(ctx, cancel)}
	return &backends.Reader{Object: r.Object, ReadCloser: c}
}

// claim makes a reader the only one that copies key.
func (r *Routes) claim(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.copying[key] {
		return false
	}
	r.copying[key] = true
	return true
}

func (r *Routes) release(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.copying, key)
}

// copying is a reader of all that is behind a key, which writes a draft of it.
type copying struct {
	next   io.ReadCloser
	draft  *draft          // nil when it is over
	ctx    context.Context // of the draft
	cancel context.CancelFunc
	stay   func() bool // keeps the end of the reader's context from ending ctx
}

// Whole asks for the content to be read by one request, to its end; see
// [readahead.Pool.Open].
func (c *copying) Whole() {}

func (c *copying) Read(p []byte) (int, error) {
	n, err := c.next.Read(p)
	if c.draft != nil && n > 0 {
		if _, failed := c.draft.Write(p[:n]); failed != nil {
			c.give(failed)
		}
	}
	return n, err
}

// Close commits the copy if all has come. It waits for that: whoever looks next finds it.
func (c *copying) Close() error {
	whole := c.draft != nil && c.whole()
	err := c.next.Close()
	if c.draft == nil {
		return err
	}
	d := c.draft
	if err != nil || !whole || !c.stay() {
		c.give(nil)
		return err
	}
	timer := time.AfterFunc(commitTimeout, c.cancel)
	defer timer.Stop()
	_, failed := d.commit(c.ctx)
	c.give(failed)
	return err
}

// whole tells whether all octets have come and make one version: only the end of what is read
// tells of a file that was written to meanwhile.
func (c *copying) whole() bool {
	if c.draft.size != c.draft.source.Size {
		return false
	}
	_, err := io.ReadFull(c.next, make([]byte, 1))
	return err == io.EOF // the reader's own; what wraps it is a failure
}

// give ends the draft, unless it was committed without leaving anything. That somebody has
// written or deleted the key meanwhile is no failure.
func (c *copying) give(failed error) {
	d := c.draft
	c.draft = nil
	c.stay()
	c.cancel()
	failed = errors.Join(failed, d.upload.Abort())
	d.routes.release(d.key)
	if failed != nil && !errors.Is(failed, backends.ErrChanged) {
		d.routes.tell(c.ctx, d.route, NotCopied, d.key, failed)
	}
}
