package ftp

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"testing"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

func stat(s *Store, ctx context.Context, key string) error {
	_, err := s.Stat(ctx, key, backends.StatOptions{})
	return err
}

func TestStaleConnectionsAreReplacedUnnoticed(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	put(t, s, "k", "content")
	for verb, use := range map[string]func() error{
		"stat":   func() error { return stat(s, t.Context(), "k") },
		"list":   func() error { _, err := s.List(t.Context(), backends.Query{}); return err },
		"open":   func() error { _, err := get(t, s, "k", backends.OpenOptions{}); return err },
		"create": func() error { put(t, s, "new", "x"); return nil },
		"delete": func() error { return s.Delete(t.Context(), "new", backends.DeleteOptions{}) },
	} {
		s.pool.mu.Lock()
		for _, c := range s.pool.idle {
			c.since = c.since.Add(-checkAfter)
		}
		s.pool.mu.Unlock()
		f.dropAll()
		if err := use(); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestIdleConnectionsAreUsedAgainAndClosed(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	for range 5 {
		if err := stat(s, t.Context(), "k"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if n := f.count("USER"); n != 1 {
		t.Errorf("%d logins", n)
	}
	s.pool.expire(s.pool.idle[0])
	if len(s.pool.idle) != 0 || f.count("QUIT") != 1 {
		t.Errorf("%d are idle, %d were closed", len(s.pool.idle), f.count("QUIT"))
	}
}

func TestRefusedLoginsAreNotHammered(t *testing.T) {
	f := newFake(t)
	s := f.store(t, func(c *Config) { c.Server.Password = "wrong" })
	for range 5 {
		err := stat(s, t.Context(), "k")
		var reply *ftpclient.ReplyError
		if !errors.Is(err, backends.ErrUnavailable) || !errors.As(err, &reply) || reply.Code != 530 {
			t.Errorf("got %v", err)
		}
	}
	if n := f.count("PASS"); n != 1 {
		t.Errorf("%d passwords were sent", n)
	}
	p := pause{}
	for range 20 {
		p = p.after(fs.ErrPermission, firstRefusal, longestRefusal)
	}
	if p.length != longestRefusal {
		t.Errorf("the pause grows to %v", p.length)
	}
}

// TestServerWithFewerPlacesIsUsedWithThose: the one that is refused waits for another's.
func TestServerWithFewerPlacesIsUsedWithThose(t *testing.T) {
	f := newFake(t)
	s := f.store(t, nil)
	put(t, s, "k", "content")
	held, err := s.pool.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.planned(func(verb, _ string) string {
		if verb == "USER" {
			return "421 too many of you"
		}
		return ""
	})
	done := make(chan error, 1)
	go func() { done <- stat(s, t.Context(), "k") }()
	for len(s.pool.slots) < cap(s.pool.slots) { // but for the one in use, all are taken away
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		default:
			runtime.Gosched()
		}
	}
	s.pool.put(held)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := f.count("USER"); n != 2 {
		t.Errorf("tried %d times", n)
	}
}

// TestServerThatIsFullLeavesOneSlot: the connection that was waited for was given back just
// before the slots were taken away.
func TestServerThatIsFullLeavesOneSlot(t *testing.T) {
	f := newFake(t)
	s := f.store(t, func(c *Config) { c.Connections = 2 })
	put(t, s, "k", "content")
	if err := s.pool.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.pool.shrink()
	if taken := len(s.pool.slots); taken != 1 {
		t.Fatalf("%d of 2 slots are gone", taken)
	}
	if err := stat(s, t.Context(), "k"); err != nil {
		t.Error(err)
	}
}

func TestCallersWaitForAConnectionAsLongAsTheyLike(t *testing.T) {
	f := newFake(t)
	s := f.store(t, func(c *Config) { c.Connections = 1 })
	c, err := s.pool.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.pool.put(c)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := stat(s, ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestErrorKinds(t *testing.T) {
	for _, c := range []struct {
		err, want error
	}{
		{&ftpclient.ReplyError{Code: 421}, backends.ErrUnavailable},
		{&ftpclient.ReplyError{Code: 450}, backends.ErrUnavailable},
		{&ftpclient.ReplyError{Code: 452}, backends.ErrQuota},
		{&ftpclient.ReplyError{Code: 552}, backends.ErrQuota},
		{&ftpclient.ReplyError{Code: 530}, backends.ErrUnavailable},
		{&ftpclient.ReplyError{Code: 550}, fs.ErrPermission},
		{&ftpclient.ReplyError{Code: 553, Command: "STOR /x"}, fs.ErrPermission},
		{&ftpclient.ReplyError{Code: 553, Command: "RNTO /x"}, fs.ErrInvalid},
		{&ftpclient.ReplyError{Code: 502}, errors.ErrUnsupported},
		{ftpclient.ErrProtocol, backends.ErrUnavailable},
		{ftpclient.ErrIncomplete, backends.ErrUnavailable},
		{opaque{fs.ErrNotExist}, backends.ErrUnavailable},
		{context.Canceled, backends.ErrUnavailable},
		{errTaken, backends.ErrUnavailable},
		{backends.ErrChanged, backends.ErrChanged},
	} {
		if err := fail("stat", "k", c.err); !errors.Is(err, c.want) || errors.Is(err, fs.ErrPermission) != errors.Is(c.want, fs.ErrPermission) {
			t.Errorf("%v is %v, want %v", c.err, err, c.want)
		}
	}
}
