package azblob

import (
	"context"
	"crypto/md5" //nolint:gosec // a checksum that the service asks for, not a protection
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"golang.org/x/sync/errgroup"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// note records the upload, once, and from time to time that it is alive. Where the
// credentials allow no record, or the key leaves no room for one, the upload goes on and
// cannot be parked. ErrChanged if another gateway has resumed it.
func (u *upload) note(ctx context.Context) error {
	u.recording.Lock()
	defer u.recording.Unlock()
	first := u.touched.IsZero()
	if u.unwanted || !first && time.Since(u.touched) < u.store.limits.touch {
		return nil
	}
	if u.entry == nil {
		u.entry = u.store.journal.Draft(u.key, u.record())
	}
	if !first {
		if err := u.own(ctx, "write"); err != nil {
			return err
		}
	}
	now := time.Now()
	err := u.entry.Update(ctx, u.record(), nil)
	switch {
	case err == nil:
		u.touched = now
	case first && (errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported)):
		u.entry.Leave()
		u.entry, u.unwanted, err = nil, true, nil
	}
	return err
}

// own fails unless the upload is still this writer's. The caller holds recording.
func (u *upload) own(ctx context.Context, op string) error {
	owned, err := u.entry.Owned(ctx)
	if err == nil && !owned {
		err = &backends.Error{Op: op, Key: u.key, Kind: backends.ErrChanged, Err: errors.New("another gateway has resumed or ended the upload")}
	}
	return err
}

// record is what a later attempt has to know of this one.
func (u *upload) record() journal.Record {
	return journal.Record{
		Native: u.id, Before: u.chain.String(), IfMatch: u.condition.etag, IfAbsent: u.condition.absent,
		ContentType: u.options.ContentType, Metadata: u.options.Metadata, Tag: u.options.Tag,
	}
}

// Keep is multipart.Target's: the tail becomes one block more. Blocks that follow by number
// are told by the size in the record's name to be void.
func (u *upload) Keep(ctx context.Context, parts int, tail *multipart.Body) (int64, error) {
	defer u.leave()
	if err := u.note(ctx); err != nil {
		return 0, err
	}
	if u.unwanted {
		return 0, &backends.Error{Op: "park", Key: u.key, Kind: errors.ErrUnsupported}
	}
	if tail.Size() > 0 {
		parts++
		if err := u.Part(ctx, parts, tail); err != nil {
			return 0, err
		}
	}
	size := sum(u.head[:min(parts, len(u.head))])
	u.mu.Lock()
	for n := len(u.head) + 1; n <= parts; n++ {
		size += u.blocks[n]
	}
	u.mu.Unlock()
	u.recording.Lock()
	defer u.recording.Unlock()
	if err := u.own(ctx, "park"); err != nil {
		return 0, err
	}
	return size, u.entry.Park(ctx, size, nil)
}

// leave lets others find what is stored, whatever has become of Keep.
func (u *upload) leave() {
	u.recording.Lock()
	defer u.recording.Unlock()
	if u.entry != nil {
		u.entry.Leave()
	}
}

// Abort is multipart.Target's. Staged blocks can only be ended by the service itself, after
// seven days, or by a commit, which would replace what is there under the name. See the
// package's comment.
func (u *upload) Abort(ctx context.Context) error {
	u.recording.Lock()
	defer u.recording.Unlock()
	if u.entry == nil {
		return nil
	}
	return u.entry.End(ctx)
}

// forget removes the record of an upload that is visible. If that fails, those who look
// for parked uploads see that its blocks are gone.
func (u *upload) forget(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	_ = u.Abort(ctx) // see above
}

// Save is journal.Store's: one Put Blob, whatever is there.
func (s *Store) Save(ctx context.Context, key string, content io.ReadSeeker, size int64) error {
	sum := md5.New() //nolint:gosec // as above
	if _, err := io.CopyN(sum, content, size); err != nil {
		return failure("park", key, condition{}, err)
	}
	err := transport.Retry(ctx, transient, func() error {
		if _, err := content.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := s.blockBlob(key).Upload(ctx, streaming.NopCloser(content), &blockblob.UploadOptions{
			TransactionalValidation: blob.TransferValidationTypeMD5(sum.Sum(nil)),
		})
		return err
	})
	return failure("park", key, condition{}, err)
}

// Parked is [backends.Parker.Parked]: one request for the page, and for each upload one for
// its record and one for its blocks. Of an upload that another gateway is writing, ModTime
// may be late by up to an hour, or a quarter of that gateway's ResumeWindow.
func (s *Store) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	listed, err := s.journal.List(ctx, q)
	if err != nil {
		return backends.ParkedPage{}, err
	}
	found := make([]backends.Parked, len(listed.Uploads))
	group, lookCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, upload := range listed.Uploads {
		if upload.Live {
			continue
		}
		group.Go(func() error {
			r, err := s.look(lookCtx, upload)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, backends.ErrChanged) || errors.Is(err, errors.ErrUnsupported) {
				return nil // it has ended, or is a later version's
			}
			found[i] = upload.Parked
			found[i].Size = sum(r.blocks)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return backends.ParkedPage{}, err
	}
	page := backends.ParkedPage{Next: listed.Next}
	for _, p := range found {
		if p.Size > 0 {
			page.Uploads = append(page.Uploads, p)
		}
	}
	return page, nil
}

// Discard is [backends.Parker.Discard]. The blocks are left to the service: see the
// package's comment.
func (s *Store) Discard(ctx context.Context, p backends.Parked) error {
	upload, err := s.journal.Lookup(p.ID)
	if err != nil {
		return nil // it never was one
	}
	if upload.Live {
		return &backends.Error{Op: "discard", Key: upload.Key, Kind: backends.ErrBusy}
	}
	return s.Delete(ctx, p.ID, backends.DeleteOptions{})
}

// remains is what is left of an upload that nobody is writing.
type remains struct {
	record journal.Record
	chain  chain
	blocks []block
}

// forsaken is the age at which the record of an upload that was not parked, and has no
// blocks, is worthless: younger, its writer may be about to stage the first.
const forsaken = 24 * time.Hour

// look finds what is left of an upload. fs.ErrNotExist, and the record is removed, if that
// is nothing: another writer's commit has taken the blocks, or the service has, after seven
// days. ErrChanged, likewise, if it appends to an object that is another one by now.
func (s *Store) look(ctx context.Context, u journal.Upload) (remains, error) {
	record, tail, written, err := s.journal.Load(ctx, u.ID)
	if err != nil {
		return remains{}, err
	}
	_ = tail.Close() // it is empty
	r := remains{record: record}
	var ok bool
	if r.chain, ok = parseChain(record.Before); !ok {
		return remains{}, &backends.Error{Op: "park", Key: u.ID, Kind: errors.ErrUnsupported}
	}
	list, err := s.blockList(ctx, u.Key)
	if err != nil {
		return remains{}, failure("park", u.Key, condition{}, err)
	}
	if r.chain.extends() && list.etag != record.IfMatch {
		return remains{}, s.bury(ctx, u, backends.ErrChanged)
	}
	r.blocks = r.chain.find(list, record.Native)
	if u.Size >= 0 {
		n, _ := cut(r.blocks, u.Size)
		r.blocks = r.blocks[:n]
	}
	switch {
	case len(r.blocks) > 0:
		return r, nil
	case u.Size < 0 && time.Since(written) < forsaken:
		return remains{}, &backends.Error{Op: "park", Key: u.Key, Kind: fs.ErrNotExist}
	}
	return remains{}, s.bury(ctx, u, fs.ErrNotExist)
}

// bury removes the record of an upload that nobody can resume, and says why it cannot be.
func (s *Store) bury(ctx context.Context, u journal.Upload, why error) error {
	return errors.Join(&backends.Error{Op: "park", Key: u.Key, Kind: why}, s.Delete(ctx, u.ID, backends.DeleteOptions{}))
}
