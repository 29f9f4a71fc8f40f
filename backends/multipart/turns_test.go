package multipart

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// herd is many uploads to stores that answer when they are released.
type herd struct {
	sending atomic.Int64 // bodies that are being sent
	release chan struct{}
	all     sync.WaitGroup
}

func (h *herd) hold(ctx context.Context, _ int) error {
	h.sending.Add(1)
	defer h.sending.Add(-1)
	select {
	case <-h.release:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// begin begins an upload of so many octets in parts of 128 KiB.
func (h *herd) begin(ctx context.Context, t *testing.T, b *Budget, turns *Turns, size int) {
	u := New(ctx, &fake{onPart: h.hold, onPut: h.hold, discard: true}, b,
		Options{PartSize: 128 * kib, MaxPartSize: 128 * kib, MaxParts: 10, Turns: turns})
	h.all.Go(func() {
		defer u.Abort()
		_, err := u.Write(pattern(size))
		if err == nil {
			_, err = u.Commit()
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
}

// TestBodiesTakeTurns: however many bodies are to be sent to a store at once, so many are at
// a time, parts and small files alike, and all of them are in the end; nobody waits for
// another store, and what is tiny waits for nobody.
func TestBodiesTakeTurns(t *testing.T) {
	for name, tt := range map[string]struct{ size, bodies int }{"parts": {256 * kib, 2}, "files": {20 * kib, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBudget(256*mib, nil)
				h := &herd{release: make(chan struct{})}
				turns := NewTurns()
				for range 3 * sending {
					h.begin(t.Context(), t, b, turns, tt.size)
				}
				synctest.Wait()
				if n := h.sending.Load(); n != sending {
					t.Errorf("%d bodies are being sent, want %d", n, sending)
				}
				h.begin(t.Context(), t, b, NewTurns(), tt.size)
				h.begin(t.Context(), t, b, turns, smallBody)
				synctest.Wait()
				if n := h.sending.Load(); n != int64(sending+tt.bodies+1) {
					t.Errorf("%d bodies are being sent, want %d and %d", n, sending, tt.bodies+1)
				}
				close(h.release)
				h.all.Wait()
				wantReturned(t, b)
			})
		})
	}
}

// TestWaitingForATurnEnds: an upload that is given up does not wait for its turn.
func TestWaitingForATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(256*mib, nil)
		h := &herd{release: make(chan struct{})}
		turns := NewTurns()
		for range sending {
			h.begin(t.Context(), t, b, turns, 20*kib)
		}
		synctest.Wait()
		for _, size := range []int{20 * kib, 256 * kib} {
			ctx, cancel := context.WithCancelCause(t.Context())
			f := new(fake)
			u := New(ctx, f, b, Options{PartSize: 128 * kib, MaxPartSize: 128 * kib, MaxParts: 10, Turns: turns})
			_, err := u.Write(pattern(size))
			committed := make(chan error, 1)
			go func() {
				_, err := u.Commit()
				committed <- errors.Join(err, u.Abort())
			}()
			synctest.Wait()
			cancel(errors.New("given up"))
			if cerr := <-committed; err != nil || cerr == nil || len(f.parts) > 0 || f.object != nil {
				t.Errorf("%d octets: write %v, commit %v", size, err, cerr)
			}
		}
		close(h.release)
		h.all.Wait()
		wantReturned(t, b)
	})
}
