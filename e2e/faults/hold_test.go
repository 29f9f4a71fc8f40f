package faults

import (
	"context"
	"errors"
	"net/http"
	"testing"
)

// begin makes a request that a fault is to strike, in a goroutine of its own.
func begin(t *testing.T, fault Fault) (i *Injection, store *echo, cancel context.CancelFunc, done chan outcome) {
	p, store, client := start(t)
	i = p.Inject(Rule{Fault: fault})
	t.Cleanup(i.Remove)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done = make(chan outcome, 1)
	go func() { done <- do(ctx, client, http.MethodPut, p.URL()+"/b/k", "body") }()
	<-i.Hit()
	return i, store, cancel, done
}

func TestHeldRequestsGoOn(t *testing.T) {
	for name, fault := range map[string]Fault{"before": HoldBefore(), "after": HoldAfter(), "late": Late()} {
		t.Run(name, func(t *testing.T) {
			i, store, _, done := begin(t, fault)
			if held := len(store.seen()) == 0; held != (name != "after") {
				t.Errorf("the store has not seen the request: %v", held)
			}
			i.Remove()
			if got := <-done; got.err != nil || got.body != content {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestHeldRequestsOfTheDead: when their client has gone, they never reach the store but
// where that is the point.
func TestHeldRequestsOfTheDead(t *testing.T) {
	for name, fault := range map[string]Fault{"before": HoldBefore(), "late": Late(), "silent": Silent(), "silent after": SilentAfter()} {
		t.Run(name, func(t *testing.T) {
			i, store, cancel, done := begin(t, fault)
			cancel()
			if got := <-done; !errors.Is(got.err, context.Canceled) {
				t.Errorf("got %+v", got)
			}
			if name == "before" {
				i.proxy.wantIdle(t)
			}
			i.Remove()
			i.proxy.wantIdle(t)
			if arrived := len(store.seen()) == 1; arrived != (name == "late" || name == "silent after") {
				t.Errorf("the store has seen the request: %v", arrived)
			}
		})
	}
}

// TestDroppedRequestsGoNowhere, though their client is there.
func TestDroppedRequestsGoNowhere(t *testing.T) {
	for name, fault := range map[string]Fault{"before": HoldBefore(), "late": Late()} {
		t.Run(name, func(t *testing.T) {
			i, store, _, done := begin(t, fault)
			i.Drop()
			<-done
			i.proxy.wantIdle(t)
			if n := len(store.seen()); n > 0 {
				t.Errorf("the store has seen %d requests", n)
			}
		})
	}
}

// wantIdle waits until no request is in the proxy.
func (p *HTTPProxy) wantIdle(t *testing.T) {
	t.Helper()
	if err := p.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSilenceEndsWithTheRule(t *testing.T) {
	for name, fault := range map[string]Fault{"silent": Silent(), "silent after": SilentAfter()} {
		t.Run(name, func(t *testing.T) {
			i, store, _, done := begin(t, fault)
			if arrived := len(store.seen()) == 1; arrived != (name == "silent after") {
				t.Errorf("the store has seen the request: %v", arrived)
			}
			i.Remove()
			if got := <-done; got.err == nil {
				t.Errorf("got an answer: %+v", got)
			}
		})
	}
}
