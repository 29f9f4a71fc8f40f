package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"causeway/auth/usersfile"
	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/configs"
)

const (
	// pollStored is how often a users file in a store is looked at. A look is one request.
	pollStored = 10 * time.Second
	// maxUsersFile bounds a users file in a store, in octets: some 100,000 accounts.
	maxUsersFile = 32 << 20
	// storedTimeout bounds a look at a users file in a store, and an edit.
	storedTimeout = 30 * time.Second
)

// storedFile is a users file in a store. It is a [usersfile.Document], whose versions are
// the store's own.
type storedFile struct {
	store backends.Backend
	key   string
}

var errTooLarge = fmt.Errorf("is larger than %d bytes", maxUsersFile)

// Read is [usersfile.Document.Read].
func (f storedFile) Read(ctx context.Context, known string) (text []byte, version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, storedTimeout)
	defer cancel()
	if known != "" {
		o, err := f.store.Stat(ctx, f.key, backends.StatOptions{})
		switch {
		case err != nil:
			return nil, "", err
		case o.ETag == known:
			return nil, known, usersfile.ErrUnchanged
		}
	}
	r, err := f.store.Open(ctx, f.key, backends.OpenOptions{})
	if err != nil {
		return nil, "", err
	}
	text, err = io.ReadAll(io.LimitReader(r, maxUsersFile+1))
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, "", err
	}
	if len(text) > maxUsersFile {
		return nil, r.Object.ETag, errTooLarge
	}
	return text, r.Object.ETag, nil
}

// Replace is [usersfile.Document.Replace]. After [backends.ErrUnavailable] the text may have
// been replaced: nobody knows.
func (f storedFile) Replace(ctx context.Context, text []byte, version string) error {
	ctx, cancel := context.WithTimeout(ctx, storedTimeout)
	defer cancel()
	u, err := f.store.Create(ctx, f.key, backends.CreateOptions{IfMatch: version, Size: int64(len(text)), ContentType: "application/yaml"})
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // after Commit it does nothing, and before it there is a better error
	if _, err := io.Copy(u, bytes.NewReader(text)); err != nil {
		return err
	}
	_, err = u.Commit()
	if errors.Is(err, backends.ErrChanged) {
		return fmt.Errorf("%w: %w", usersfile.ErrChanged, err)
	}
	return err
}

// document opens a users file where the configuration says that it is. close must be called.
func document(ctx context.Context, cfg *configs.Config, source configs.AccountSource) (d usersfile.Document, done func() error, err error) {
	if source.Store == "" {
		return usersfile.File{Path: source.File}, func() error { return nil }, nil
	}
	store := cfg.Stores[source.Store]
	shared := commonOf(cfg, multipart.NewBudget(int64(cfg.Limits.Buffers), nil), slog.New(slog.DiscardHandler))
	b, err := providers()[store.Kind].open(ctx, store, shared)
	if err != nil {
		return nil, nil, openProblem(cfg, source.Store, err)
	}
	done = func() error { return closeStores(map[string]backends.Backend{source.Store: b}) }
	return storedFile{store: b, key: source.Key}, done, nil
}
