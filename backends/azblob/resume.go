package azblob

import (
	"context"
	"io/fs"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"golang.org/x/sync/errgroup"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
)

// resume makes a parked upload this one. Blocks can be parted between two of them only.
func (u *upload) resume(ctx context.Context) (multipart.Head, error) {
	parked, err := u.store.journal.Lookup(u.options.Resume)
	switch {
	case err != nil:
		return multipart.Head{}, err
	case parked.Key != u.key:
		return multipart.Head{}, &backends.Error{Op: "create", Key: u.key, Kind: fs.ErrNotExist}
	case parked.Live:
		return multipart.Head{}, &backends.Error{Op: "create", Key: u.key, Kind: backends.ErrBusy}
	}
	r, err := u.store.look(ctx, parked)
	if err != nil {
		return multipart.Head{}, err
	}
	n, ok := cut(r.blocks, u.options.At)
	if !ok {
		return multipart.Head{}, &backends.Error{Op: "create", Key: u.key, Kind: backends.ErrRange}
	}
	u.inherit(r.record)
	if n == 0 {
		return multipart.Head{}, u.store.Discard(ctx, parked.Parked)
	}
	u.head, u.chain = r.blocks[:n:n], r.chain.first(n, r.record.Native)
	if u.chain.extends() {
		p, err := u.store.properties(ctx, u.key)
		if err != nil {
			return multipart.Head{}, missing("create", u.key, err)
		}
		u.keep(p)
	}
	u.entry, err = u.store.journal.Take(ctx, parked.Parked, u.record())
	u.touched = time.Now()
	return multipart.Head{Parts: n, Size: u.options.At}, err
}

// inherit takes over what the attempt before had, but for what is set anew.
func (u *upload) inherit(r journal.Record) {
	if u.condition == (condition{}) {
		u.condition = condition{etag: r.IfMatch, absent: r.IfAbsent}
	}
	if u.options.ContentType == "" {
		u.options.ContentType = r.ContentType
	}
	if u.options.Metadata == nil {
		u.options.Metadata = r.Metadata
	}
}

// extend keeps what is to be kept of the object that is there: whole blocks as they are,
// the rest as copies, which are made beside what is received.
func (u *upload) extend(ctx context.Context) (multipart.Head, error) {
	p, err := u.store.properties(ctx, u.key)
	if err != nil {
		return multipart.Head{}, missing("create", u.key, err)
	}
	list, err := u.store.blockList(ctx, u.key)
	if err != nil {
		return multipart.Head{}, err
	}
	switch etag := unquoted(p.ETag); {
	case etag != list.etag, u.condition.etag != "" && u.condition.etag != etag:
		return multipart.Head{}, &backends.Error{Op: "create", Key: u.key, Kind: backends.ErrChanged}
	case u.options.At > value(p.ContentLength):
		return multipart.Head{}, &backends.Error{Op: "create", Key: u.key, Kind: backends.ErrRange}
	}
	u.condition = condition{etag: list.etag}
	u.keep(p)
	u.plan(list.committed)
	head := multipart.Head{Parts: len(u.head), Size: u.options.At}
	if u.chain.least > 0 {
		head.Make = u.copyHead
	}
	return head, nil
}

// keep takes over the properties of the object that is appended to. A time that a client
// has set is that of the old content.
func (u *upload) keep(p blob.GetPropertiesResponse) {
	u.headers = *headers(p)
	u.headers.BlobContentMD5 = nil
	if u.options.ContentType == "" {
		u.options.ContentType = value(p.ContentType)
	}
	if u.options.Metadata == nil {
		u.options.Metadata = shown(p.Metadata)
		delete(u.options.Metadata, backends.MetaModTime)
	}
}

// plan decides which blocks the first At octets of the object are to be.
func (u *upload) plan(committed []block) {
	limits := u.store.limits
	whole := lead(committed, u.options.At, limits)
	u.head = slices.Clone(committed[:whole])
	rest := u.options.At - sum(u.head)
	step := min(max(limits.copyBlock, rest/int64(limits.parts/4)+1), limits.mostPart)
	for ; rest > 0; rest -= step {
		u.head = append(u.head, block{blockID(u.id, len(u.head)+1), min(step, rest)})
	}
	u.chain = chain{spans: []span{{"", whole}}, least: len(u.head) - whole}
}

// lead is how many of an object's blocks are kept as they are when its first at octets are:
// those that end before at, up to the first that another program has written. A blob that
// has been appended to so often that half of its possible blocks are used has the small
// ones, and what is between them, copied into few; one that has hardly any left has all.
func lead(blocks []block, at int64, l limits) int {
	n := 0
	for ; n < len(blocks) && blocks[n].size <= at && ours(blocks[n].id); n++ {
		at -= blocks[n].size
	}
	if n > l.parts/2 {
		if small := slices.IndexFunc(blocks[:n], func(b block) bool { return b.size < l.firstPart }); small >= 0 {
			n = small
		}
	}
	if n > l.parts/10*9 {
		return 0
	}
	return n
}

// copyHead makes the blocks of head that are not the object's own: by the service where it
// can, else by reading and sending them again.
func (u *upload) copyHead(ctx context.Context) error {
	if err := u.note(ctx); err != nil {
		return err
	}
	from, err := u.store.origin(ctx, u.key, u.condition.etag)
	if err != nil {
		return failure("copy", u.key, condition{}, err)
	}
	group, copyCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	whole := len(u.head) - u.chain.least
	at := sum(u.head[:whole])
	for _, b := range u.head[whole:] {
		part := blob.HTTPRange{Offset: at, Count: b.size}
		at += b.size
		group.Go(func() error { return from.copied(copyCtx, u.key, b.id, part) })
	}
	return group.Wait()
}
