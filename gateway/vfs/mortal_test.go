package vfs_test

import (
	"context"
	"io"
	"sync"

	"causeway/backends"
)

// life is that of a process: after so many calls of its stores it is dead, and no call has
// an effect or an answer any more.
type life struct {
	mu   sync.Mutex
	left int
	late bool // the last call takes place, and its answer is lost
}

// errDead is what a dead process would never hear.
var errDead = &backends.Error{Op: "call", Kind: backends.ErrUnavailable}

// spend makes a call if there is life left for it.
func spend[T any](l *life, call func() (T, error)) (T, error) {
	var zero T
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left--
	switch {
	case l.left > 0:
		return call()
	case l.left == 0 && l.late:
		_, _ = call()
	}
	return zero, errDead
}

func (l *life) died() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left <= 0
}

// mortal is a store, with copies and without an atomic rename, as a process has it.
type mortal struct {
	*life
	next *bucket
}

func (m mortal) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	return spend(m.life, func() (backends.Object, error) { return m.next.Store.Stat(ctx, key, o) })
}

func (m mortal) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	return spend(m.life, func() (backends.Page, error) { return m.next.Store.List(ctx, q) })
}

func (m mortal) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	return spend(m.life, func() (*backends.Reader, error) { return m.next.Store.Open(ctx, key, o) })
}

func (m mortal) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	_, err := spend(m.life, func() (int, error) { return 0, m.next.Store.Delete(ctx, key, o) })
	return err
}

func (m mortal) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	return spend(m.life, func() (backends.Object, error) { return m.next.Store.Copy(ctx, dst, src, o) })
}

func (m mortal) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	return spend(m.life, func() (backends.ParkedPage, error) { return m.next.Store.Parked(ctx, q) })
}

func (m mortal) Discard(ctx context.Context, p backends.Parked) error {
	_, err := spend(m.life, func() (int, error) { return 0, m.next.Store.Discard(ctx, p) })
	return err
}

func (m mortal) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return spend(m.life, func() (backends.Upload, error) {
		u, err := m.next.Store.Create(ctx, key, o)
		return &mortalUpload{m.life, u}, err
	})
}

type mortalUpload struct {
	*life
	next backends.Upload
}

func (u *mortalUpload) Write(p []byte) (int, error) {
	return spend(u.life, func() (int, error) { return u.next.Write(p) })
}

func (u *mortalUpload) Commit() (backends.Object, error) { return spend(u.life, u.next.Commit) }

func (u *mortalUpload) Park() (int64, error) { return spend(u.life, u.next.Park) }

func (u *mortalUpload) Abort() error {
	_, err := spend(u.life, func() (int, error) { return 0, u.next.Abort() })
	return err
}

// content is that of an object.
func (b *bucket) content(key string) (string, bool) {
	r, err := b.Store.Open(context.Background(), key, backends.OpenOptions{})
	if err != nil {
		return "", false
	}
	content, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(content), true
}
