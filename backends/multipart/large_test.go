package multipart

import (
	"context"
	"hash/crc32"
	"io"
	"sync"
	"testing"

	"causeway/backends"
)

// nowhere is a store that reads parts, checks them and forgets them.
type nowhere struct {
	*fake
	mu     sync.Mutex
	octets int64
	most   int64 // octets of a part
}

func (n *nowhere) Part(_ context.Context, _ int, body *Body) error {
	sum := crc32.New(castagnoli)
	read, err := io.Copy(sum, body.Reader())
	if err == nil && (read != body.Size() || sum.Sum32() != body.CRC32C()) {
		err = io.ErrUnexpectedEOF
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.octets += read
	n.most = max(n.most, read)
	return err
}

func (n *nowhere) Complete(context.Context, int) (backends.Object, error) {
	return backends.Object{Size: n.octets}, nil
}

// TestS18_AHundredGiB: to a scale of 1:128, that is what the least buffers (32 MiB), parts of
// 8 MiB and 10,000 of them hold only by parts that go through the spool. What is held stays
// within buffers and spool all the while.
func TestS18_AHundredGiB(t *testing.T) {
	const scale = 128
	b := NewBudget(32*mib/scale, newSpool(t, 2*gib/scale))
	store := &nowhere{fake: &fake{}}
	u := New(t.Context(), store, b, Options{PartSize: 8 * mib / scale, MaxPartSize: 5 * gib / scale, MaxParts: 10_000})
	defer u.Abort()
	var memory, disk int64
	for p, left := pattern(256*kib), int64(100*gib/scale); left > 0; left -= int64(len(p)) {
		if _, err := u.Write(p); err != nil {
			t.Fatal(err)
		}
		m, d := b.Used()
		memory, disk = max(memory, m), max(disk, d)
	}
	o, err := u.Commit()
	if err != nil || o.Size != 100*gib/scale {
		t.Errorf("%d octets were stored: %v", o.Size, err)
	}
	if store.most <= b.largest() || disk == 0 {
		t.Errorf("no part of more than a quarter of the buffers: %d octets at most, %d on disk", store.most, disk)
	}
	if memory > 32*mib/scale || disk > 2*gib/scale {
		t.Errorf("%d octets of memory and %d of disk were in use", memory, disk)
	}
	wantReturned(t, b)
}
