package vfs_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// summed is a store whose ETags are of the content, as S3's, and where something happens after a
// deletion.
type summed struct {
	*bucket
	deleted func(key string)
}

func (s *summed) etag(ctx context.Context, key string) string {
	r, err := s.bucket.Open(ctx, key, backends.OpenOptions{})
	if err != nil {
		return ""
	}
	defer r.Close()
	h := md5.New()
	_, _ = io.Copy(h, r) // of a store in memory
	return hex.EncodeToString(h.Sum(nil))
}

func (s *summed) matches(ctx context.Context, key string, etag *string) error {
	if *etag != "" && s.etag(ctx, key) != *etag {
		return &backends.Error{Op: "look", Key: key, Kind: backends.ErrChanged}
	}
	*etag = ""
	return nil
}

func (s *summed) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	obj, err := s.bucket.Stat(ctx, key, o)
	obj.ETag = s.etag(ctx, key)
	return obj, err
}

func (s *summed) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	p, err := s.bucket.List(ctx, q)
	for i := range p.Objects {
		p.Objects[i].ETag = s.etag(ctx, p.Objects[i].Key)
	}
	return p, err
}

func (s *summed) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if err := s.matches(ctx, key, &o.IfMatch); err != nil {
		return nil, err
	}
	r, err := s.bucket.Open(ctx, key, o)
	if err == nil {
		r.Object.ETag = s.etag(ctx, key)
	}
	return r, err
}

func (s *summed) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if err := s.matches(ctx, src, &o.SourceIfMatch); err != nil {
		return backends.Object{}, err
	}
	return s.bucket.Copy(ctx, dst, src, o)
}

func (s *summed) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	if err := s.matches(ctx, key, &o.IfMatch); err != nil {
		return err
	}
	err := s.bucket.Delete(ctx, key, o)
	if err == nil {
		s.deleted(key)
	}
	return err
}

// TestS31_SameContentWrittenDuringARename is a client's file all the same, which was told to be
// there.
func TestS31_SameContentWrittenDuringARename(t *testing.T) {
	b := newBucket(mem.Options{})
	for _, key := range []string{"d/", "d/ready", "d/x"} {
		b.fill(key, "")
	}
	var again atomic.Int64
	s := &summed{b, func(key string) {
		if key == "d/ready" && again.Add(1) == 1 {
			b.fill(key, "")
		}
	}}
	f, err := vfs.New([]vfs.Mount{{Path: "/", Store: s, Rights: all}}, vfs.NewNames(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := &twin{T: t}
	if err := w.rename(f, pathOf(t, "/d"), pathOf(t, "/n")); kind(err) != ftp.ErrChanged { //nolint:errorlint // kind gives these
		t.Errorf("got %v", err)
	}
	tree, err := w.tree(f, ftp.Path{})
	if want := "/d true 0\n/d/ready false 0\n/n true 0\n/n/ready false 0\n/n/x false 0\n"; tree != want || err != nil || again.Load() == 0 {
		t.Errorf("there is %q, %v", tree, err)
	}
}
