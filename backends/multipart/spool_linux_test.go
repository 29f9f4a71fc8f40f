package multipart

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

// fullSpool is one on a disk that is full.
func fullSpool() *Spool {
	full := func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) }
	return &Spool{open: full, space: ledger{capacity: 64 * mib}}
}

// TestDiskFull: a part that only the disk can take fails its upload, and leaves nothing.
func TestDiskFull(t *testing.T) {
	b := NewBudget(256*kib, fullSpool())
	f := &fake{}
	_, err := send(t.Context(), f, b, Options{PartSize: mib, MaxPartSize: mib, MaxParts: 10}, pattern(2*mib))
	if !errors.Is(err, backends.ErrQuota) {
		t.Errorf("upload: %v", err)
	}
	wantReturned(t, b)
}

// TestDiskFullWhileRelieving: parts that cannot be moved to the disk stay in memory and lose
// nothing; who waits for the memory gets it when others have ended.
func TestDiskFullWhileRelieving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(mib, fullSpool())
		o := Options{PartSize: 256 * kib, MaxPartSize: 256 * kib, MaxParts: 100}
		slow := &fake{}
		u := New(t.Context(), slow, b, o)
		defer u.Abort()
		p := pattern(200 * kib)
		if _, err := u.Write(p[:150*kib]); err != nil {
			t.Fatal(err)
		}
		held := borrowParts(t, b, 3) // all that is left, but for a quarter of a part
		fast, quick := make(chan error), &fake{}
		go func() {
			_, err := send(t.Context(), quick, b, o, p)
			fast <- err
		}()
		time.Sleep(3 * patience) // so that the slow one was tried to be moved
		synctest.Wait()          // no try is under way
		if _, disk := b.Used(); disk != 0 {
			t.Errorf("%d octets of a full disk are in use", disk)
		}
		for _, part := range held {
			part.close()
		}
		if _, err := u.Write(p[150*kib:]); err != nil {
			t.Error(err)
		}
		if _, err := u.Commit(); err != nil || !bytes.Equal(slow.object, p) {
			t.Errorf("slow sender: %v", err)
		}
		if err := <-fast; err != nil || !bytes.Equal(quick.object, p) {
			t.Errorf("fast sender: %v", err)
		}
		wantReturned(t, b)
	})
}

// borrowParts fills n of the largest parts that are kept in memory.
func borrowParts(t *testing.T, b *Budget, n int) []*Body {
	t.Helper()
	var parts []*Body
	for range n {
		body := newBody(b, b.largest(), Options{})
		if err := body.write(t.Context(), pattern(int(body.limit))); err != nil {
			t.Fatal(err)
		}
		body.seal()
		parts = append(parts, body)
	}
	return parts
}
