package gcs

import (
	"context"
	"errors"
	"io/fs"

	"causeway/backends"
	"causeway/backends/journal"
)

// holdEvery is how many parts are stored before a writer looks again whether the upload is
// still its own, so that one that has lost it does not send the rest in vain.
const holdEvery = 32

// begin writes the record before the first part, so that nothing is ever left which no
// record tells of. Without the right to write it the upload goes on, and cannot be parked.
func (u *upload) begin(ctx context.Context) error {
	u.beginning.Lock()
	defer u.beginning.Unlock()
	if u.begun {
		return nil
	}
	record := u.record()
	if u.entry == nil {
		u.entry = u.store.journal.Draft(u.key, record)
	}
	err := u.entry.Update(ctx, record, nil)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, errors.ErrUnsupported):
		u.entry.Leave()
		u.entry = nil
		u.lineage.folder = unrecorded + u.lineage.folder // see Store.Sweep
	case err != nil:
		return err // and it may have been written
	}
	u.begun = true
	return nil
}

// record is what must be known of the upload to go on with it.
func (u *upload) record() journal.Record {
	r := journal.Record{
		IfMatch: u.options.IfMatch, IfAbsent: u.options.IfAbsent,
		ContentType: u.options.ContentType, Metadata: u.options.Metadata, Tag: u.options.Tag,
	}
	u.lineage.note(&r)
	return r
}

// hold is backends.ErrChanged if another writer has taken or ended the upload. Who may not
// list cannot know, and goes on.
func (u *upload) hold(ctx context.Context) error {
	if u.entry == nil || !u.begun || u.over {
		return nil
	}
	owned, err := u.entry.Owned(ctx)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case err == nil && !owned:
		return &backends.Error{Op: "write", Key: u.key, Kind: backends.ErrChanged, Err: errTaken}
	}
	return err
}

var errTaken = errors.New("another writer has resumed or ended the upload")

// end deletes all that was written on the way, and last the record of it. If it fails the
// record is there for another to find.
func (u *upload) end(ctx context.Context) error {
	if u.entry != nil {
		defer u.entry.Leave()
	}
	err := u.discard(ctx)
	if err == nil && u.entry != nil {
		err = u.entry.End(ctx)
	}
	u.over = err == nil
	return err
}

// forsake ends an upload that another writer has taken. What it has stored is theirs,
// unless they have ended the upload by now and could not know of all of it.
func (u *upload) forsake(ctx context.Context) error {
	u.entry.Leave()
	claimed, err := u.store.claimed(ctx, u.key, u.lineage, "")
	if err != nil || claimed {
		return err
	}
	return u.store.empty(ctx, u.lineage)
}
