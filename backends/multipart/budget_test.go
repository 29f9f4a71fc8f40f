package multipart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd runs n uploads of size octets at a time, fed in small writes in random order, and
// sees that all of the budget comes back.
func crowd(t *testing.T, b *Budget, o Options, n int, size int64) {
	t.Helper()
	crowdOf(t, b, o, n, size)
	wantReturned(t, b)
}

func crowdOf(t *testing.T, b *Budget, o Options, n int, size int64) {
	t.Helper()
	var most atomic.Int64
	p := pattern(32 * kib)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			f := &fake{discard: true}
			f.onPart = func(context.Context, int) error { time.Sleep(10 * time.Millisecond); return nil }
			u := New(t.Context(), f, b, o)
			defer u.Abort()
			order := rand.New(rand.NewPCG(1, uint64(i)))
			for left := size; left > 0; {
				k, err := u.Write(p[:min(left, 1+order.Int64N(32*kib))])
				if err != nil {
					t.Errorf("upload %d with %d octets to go: %v", i, left, err)
					return
				}
				left -= int64(k)
				memory, _ := b.Used()
				most.Store(max(most.Load(), memory))
			}
			if _, err := u.Commit(); err != nil {
				t.Errorf("upload %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if most.Load() > b.memory.capacity {
		t.Errorf("%d octets were in use", most.Load())
	}
}

// TestS51_X8_ManyUploadsShareLittle: uploads wait for memory and never for each other. In
// synctest's bubble a deadlock is seen at once.
func TestS51_X8_ManyUploadsShareLittle(t *testing.T) {
	for _, c := range []struct {
		budget, part, size int64
		uploads            int
		spool              int64
	}{
		{budget: 8 * mib, part: 2 * mib, size: 5 * mib, uploads: 100}, // parts of many chunks
		{budget: 2 * mib, part: 512 * kib, size: 1280 * kib, uploads: 200},
		{budget: 256 * kib, part: 64 * kib, size: 200 * kib, uploads: 100},     // less than a chunk for each
		{budget: mib, part: 256 * kib, size: mib, uploads: 100, spool: mib},    // a spool that is soon full
		{budget: 256 * kib, part: mib, size: 3 * mib, uploads: 20, spool: mib}, // parts only fit in the spool, one at a time
	} {
		t.Run(fmt.Sprintf("%d in %d KiB", c.uploads, c.budget/kib), func(t *testing.T) {
			var spool *Spool
			if c.spool > 0 {
				spool = newSpool(t, c.spool)
			}
			synctest.Test(t, func(t *testing.T) {
				crowd(t, NewBudget(c.budget, spool), Options{PartSize: c.part, MaxPartSize: c.part, MaxParts: 1000}, c.uploads, c.size)
			})
		})
	}
}

// TestS51_SmallUploadsCostLittle: a thousand cameras with 200 KiB each need 250 MiB, not
// a thousand parts.
func TestS51_SmallUploadsCostLittle(t *testing.T) {
	b := NewBudget(256*mib, nil)
	p := pattern(200 * kib)
	for range 100 {
		u := New(t.Context(), &fake{}, b, Options{PartSize: 8 * mib, MaxPartSize: 8 * mib, MaxParts: 10})
		defer u.Abort()
		if _, err := u.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if memory, _ := b.Used(); memory != 100*256*kib {
		t.Errorf("100 uploads of 200 KiB hold %d KiB", memory/kib)
	}
}

// TestSlowSendersGoToTheSpool: memory held by senders that send nothing is not kept from
// one that does. Without the spool it would wait for them, and the bubble would be stuck.
func TestSlowSendersGoToTheSpool(t *testing.T) {
	spool := newSpool(t, 64*mib)
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(mib, spool)
		o := Options{PartSize: 256 * kib, MaxPartSize: 256 * kib, MaxParts: 100}
		var slow []*Upload
		var stores []*fake
		piece := pattern(130 * kib)
		for range 5 {
			stores = append(stores, &fake{})
			u := New(t.Context(), stores[len(stores)-1], b, o)
			defer u.Abort()
			if _, err := u.Write(piece); err != nil {
				t.Fatal(err)
			}
			slow = append(slow, u)
		}
		time.Sleep(2 * patience)
		p := pattern(3 * mib)
		f := &fake{}
		if _, err := send(t.Context(), f, b, o, p); err != nil || !bytes.Equal(f.object, p) {
			t.Errorf("fast sender: %v", err)
		}
		if _, disk := b.Used(); disk == 0 {
			t.Error("nothing was moved to the spool")
		}
		for i, u := range slow {
			u.Write(piece)
			if _, err := u.Commit(); err != nil || !bytes.Equal(stores[i].object, append(bytes.Clone(piece), piece...)) {
				t.Errorf("slow sender %d: %v", i, err)
			}
		}
		wantReturned(t, b)
	})
}

// TestQueueIsFair: those who hold nothing are served as they came; those who hold
// something may overtake them, because memory comes back only through them.
func TestQueueIsFair(t *testing.T) {
	l := &ledger{capacity: 10}
	holder, big, little := &account{want: 6}, &account{want: 8}, &account{want: 1}
	l.ask(holder, 3)
	_, bigReady := l.ask(big, 8)
	_, littleReady := l.ask(little, 1)
	if bigReady == nil || littleReady == nil {
		t.Fatal("served while an earlier one waits or nothing is free")
	}
	if got, ready := l.ask(holder, 3); ready != nil || got != 3 {
		t.Fatal("the part that holds something must be able to finish")
	}
	l.seal(holder)
	if holder.held != 6 || big.held != 0 || little.held != 0 {
		t.Fatalf("held: %d, %d, %d", holder.held, big.held, little.held)
	}
	l.close(holder)
	<-bigReady
	<-littleReady
	if big.held != 8 || little.held != 1 {
		t.Errorf("held: %d, %d", big.held, little.held)
	}
}

// TestLeavingTheQueueServesTheNext: one who gives up waiting is no longer in the way.
func TestLeavingTheQueueServesTheNext(t *testing.T) {
	l := &ledger{capacity: 10}
	l.ask(&account{want: 6}, 6)
	big, little := &account{want: 8}, &account{want: 2}
	l.ask(big, 8)
	_, ready := l.ask(little, 2)
	l.leave(big)
	<-ready
	if little.held != 2 || l.waiting.Len() != 0 {
		t.Errorf("held %d, %d waiting", little.held, l.waiting.Len())
	}
}

// TestBodyReaders: readers are independent, seek, and end with the part.
func TestBodyReaders(t *testing.T) {
	for _, spool := range []*Spool{nil, newSpool(t, 16*mib)} {
		b := NewBudget(mib, spool)
		o := Options{PartSize: 200 * kib, MaxPartSize: mib, MaxParts: 10}
		if spool != nil {
			o.PartSize = mib // more than a quarter of the budget
		}
		body := newBody(b, o.PartSize, o)
		p := pattern(150*kib + 7)
		if err := body.write(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		body.seal()
		first, second := body.Reader(), body.Reader()
		first.Seek(-5, io.SeekEnd)
		tail, err := io.ReadAll(first)
		if err != nil || !bytes.Equal(tail, p[len(p)-5:]) {
			t.Errorf("tail: %x, %v", tail, err)
		}
		whole, err := io.ReadAll(second)
		if err != nil || !bytes.Equal(whole, p) {
			t.Errorf("whole: %d octets, %v", len(whole), err)
		}
		first.Seek(0, io.SeekStart)
		body.close()
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("read of a part that is over: %v", err)
		}
		wantReturned(t, b)
	}
}

// TestCapacityIsWhatUsedCanComeTo of memory and disk.
func TestCapacityIsWhatUsedCanComeTo(t *testing.T) {
	if memory, disk := NewBudget(mib, nil).Capacity(); memory != mib || disk != 0 {
		t.Errorf("without a spool: %d and %d", memory, disk)
	}
	spool, err := NewSpool(t.TempDir(), 5*mib)
	if err != nil {
		t.Fatal(err)
	}
	if memory, disk := NewBudget(mib, spool).Capacity(); memory != mib || disk != 5*mib {
		t.Errorf("with a spool: %d and %d", memory, disk)
	}
}
