package vfs

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"causeway/backends"
)

// renames is where the journals of directory renames are, at the root of the bucket that
// the directory goes to, one for each new name.
const renames = backends.Reserved + "/renames/"

// journalVersion is that of the form of journals. Those of others are left alone.
const journalVersion = 1

// maxJournal bounds in octets what is read of a journal.
const maxJournal = 256 << 20

// phase is how far a rename has come.
type phase string

// The phases. Nothing is deleted before the second is written down.
const (
	copying  phase = "copying"
	deleting phase = "deleting"
)

// journal is what is written down of a rename: one line of JSON, and once all is copied, a
// line for each object that was, so that just these are deleted, whatever else may have
// come to the directory since.
type journal struct {
	Version int    `json:"version"`
	Source  string `json:"source"`         // prefix
	Target  string `json:"target"`         // prefix
	From    string `json:"from,omitempty"` // path of the mount that the source is in, if it is in another store
	Phase   phase  `json:"phase"`

	key     string
	sources []source
}

// source is an object of a directory that is renamed.
type source struct {
	Name string `json:"name"` // what follows the directory's prefix
	ETag string `json:"etag"`
	size int64
}

// marker tells whether it is a directory's.
func (s source) marker() bool { return s.Name == "" || strings.HasSuffix(s.Name, "/") }

// reserved tells whether it is the gateways' own.
func (s source) reserved() bool {
	return slices.Contains(strings.Split(s.Name, "/"), backends.Reserved)
}

// journal begins that of r, or where the new name is taken, finds the one that r was begun
// with: fs.ErrExist if there is none.
func (r *treeRename) journal(ctx context.Context, taken bool) (*journal, error) { //nolint:revive // the fact, not a mode
	sum := sha256.Sum256([]byte(r.dst.dir()))
	fresh := &journal{
		Version: journalVersion, Source: r.src.dir(), Target: r.dst.dir(), Phase: copying,
		key: renames + hex.EncodeToString(sum[:16]),
	}
	if r.src.bucket != r.dst.bucket {
		fresh.From = r.src.mount.path
	}
	if !taken {
		return fresh, nil
	}
	j, err := load(ctx, r.dst.store, fresh.key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, refuse("rename", r.dst.path, fs.ErrExist)
	case err != nil:
		return nil, err
	case j.Version != fresh.Version || j.Source != fresh.Source || j.Target != fresh.Target || j.From != fresh.From:
		return nil, refuse("rename", r.dst.path, fs.ErrExist)
	}
	r.log.Info("directory rename taken up again", "phase", j.Phase)
	return j, nil
}

func load(ctx context.Context, store backends.Backend, key string) (*journal, error) {
	r, err := store.Open(ctx, key, backends.OpenOptions{})
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // it was only read
	j := &journal{key: key}
	lines := json.NewDecoder(bufio.NewReader(io.LimitReader(r, maxJournal)))
	if err := lines.Decode(j); err != nil {
		return nil, damaged(key, err)
	}
	for j.Version == journalVersion {
		var s source
		err := lines.Decode(&s)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, damaged(key, err)
		}
		j.sources = append(j.sources, s)
	}
	return j, nil
}

// damaged is the error of a journal that cannot be read to its end: the store has failed,
// or somebody has written to it.
func damaged(key string, err error) error {
	if errors.Is(err, backends.ErrUnavailable) {
		return err
	}
	return &backends.Error{Op: "read", Key: key, Kind: fs.ErrExist, Err: fmt.Errorf("journal of a rename: %w", err)}
}

// save makes the journal durable.
func (j *journal) save(ctx context.Context, store backends.Backend) error {
	var content bytes.Buffer
	lines := json.NewEncoder(&content)
	if err := lines.Encode(j); err != nil {
		return err
	}
	for _, s := range j.sources {
		if err := lines.Encode(s); err != nil {
			return err
		}
	}
	u, err := store.Create(ctx, j.key, backends.CreateOptions{Size: int64(content.Len()), ContentType: "application/json"})
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing; before, the first error is the one to tell
	if _, err := content.WriteTo(u); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

// journalRest is after how long the journal of a rename that still runs is written again:
// by its age the janitor of any gateway tells which nobody goes on with.
const journalRest = time.Minute

// hold keeps j, which does not change meanwhile, from ageing until it is let go. That waits
// for what is being written rather than cancel it: it might land after what comes next.
func (r *treeRename) hold(ctx context.Context, j *journal) (letGo func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(journalRest)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := j.save(ctx, r.dst.store); err != nil {
				r.log.Warn("journal of a rename could not be written again", "key", j.key, "err", err)
			}
		}
	}()
	return func() { close(done); <-ended }
}

// journalTimeout bounds the removal of a journal.
const journalTimeout = 10 * time.Second

// forget removes the journal of a rename that is done. If that fails the janitor does it.
func (r *treeRename) forget(ctx context.Context, j *journal) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
	defer cancel()
	if err := r.dst.store.Delete(ctx, j.key, backends.DeleteOptions{}); err != nil {
		r.log.Warn("journal of a rename stays", "key", j.key, "err", err)
	}
}
