package backendtest

import (
	"context"
	"io"

	"causeway/backends"
)

// cancelled returns a context that has ended.
func (s *store) cancelled() context.Context {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	return ctx
}

func cancelBeforeCreate(s *store) {
	u, err := s.Create(s.cancelled(), "k", backends.CreateOptions{})
	if err != nil { // it may also wait until it has something to send
		s.wantCancelled("create", err)
		return
	}
	if err := write(u, []byte("some")); err != nil {
		s.wantCancelled("write", err)
	}
	_, err = u.Commit()
	s.wantCancelled("commit", err)
	if err := u.Abort(); err != nil {
		s.Errorf("abort: %v", err)
	}
	s.wantMissing("k")
}

// cancelUpload cancels between any two writes around the boundaries of parts.
func cancelUpload(s *store) {
	s.put("old", []byte("old"))
	for _, size := range s.sizes() {
		for _, key := range []string{"new", "old"} {
			ctx, cancel := context.WithCancel(s.Context())
			u := s.begin(ctx, key, content(1, size), backends.CreateOptions{})
			cancel()
			if err := write(u, content(2, 3*s.features.PartSize)); err != nil {
				s.wantCancelled("write", err)
			}
			_, err := u.Commit()
			s.wantCancelled("commit", err)
			s.abandon(u, key)
		}
		ctx, cancel := context.WithCancel(s.Context())
		u := s.begin(ctx, "new", content(1, size), backends.CreateOptions{})
		cancel()
		_, err := u.Commit()
		s.wantCancelled("commit right after cancel", err)
		s.abandon(u, "new")
	}
	s.wantMissing("new")
	s.wantContent("old", []byte("old"))
}

// abandon ends an upload whose commit was cancelled. That may have parked it, like any
// commit that does not reach the store.
func (s *store) abandon(u backends.Upload, key string) {
	s.Helper()
	s.abort(u)
	for _, p := range s.parkedNow(s.Backend, backends.ParkedQuery{Prefix: key, Fresh: true}) {
		s.discard(p)
	}
	s.wantNoLeftovers()
}

func cancelRead(s *store) {
	s.put("k", content(1, 2*s.features.PartSize+1<<20))
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	r, err := s.Open(ctx, "k", backends.OpenOptions{})
	if err != nil {
		s.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // it was cancelled
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		s.Fatal(err)
	}
	cancel()
	_, err = io.Copy(io.Discard, r)
	s.wantCancelled("read", err)
}

func cancelList(s *store) {
	for _, key := range []string{"a", "b", "c"} {
		s.put(key, nil)
	}
	_, err := s.List(s.cancelled(), backends.Query{})
	s.wantCancelled("list", err)
	var last error
	for _, err := range backends.Entries(s.cancelled(), s.Backend, "") {
		last = err
	}
	s.wantCancelled("entries", last)
}

func cancelVerbs(s *store) {
	old := s.put("k", []byte("content"))
	_, err := s.Stat(s.cancelled(), "k", backends.StatOptions{Complete: true})
	s.wantCancelled("stat", err)
	if r, err := s.Open(s.cancelled(), "k", backends.OpenOptions{}); err == nil {
		_, err = io.Copy(io.Discard, r)
		s.wantCancelled("read", err)
		_ = r.Close() // it was cancelled
	} else {
		s.wantCancelled("open", err)
	}
	s.wantCancelled("delete", s.Delete(s.cancelled(), "k", backends.DeleteOptions{}))
	_, err = backends.Copy(s.cancelled(), s.Backend, "copy", "k", backends.CopyOptions{})
	s.wantCancelled("copy", err)
	_, _, err = backends.Move(s.cancelled(), s.Backend, "moved", "k", backends.CopyOptions{SourceIfMatch: old.ETag})
	s.wantCancelled("move", err)
	s.wantContent("k", []byte("content"))
	s.wantMissing("copy")
	s.wantMissing("moved")
}
