package multipart

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"causeway/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a store that keeps parts in memory and writes down what it was asked.
type fake struct {
	// Called before the method of that name does anything, where set.
	onPart, onPut, onStart, onComplete, onKeep, onAbort func(ctx context.Context, n int) error

	discard bool // content

	mu     sync.Mutex
	calls  []string
	parts  map[int][]byte
	object []byte
	parked []byte
	busy   int // parts being stored
	width  int // most parts that were being stored at a time
}

func (f *fake) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

// asked is the calls in order, parts left out.
func (f *fake) asked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.calls, " ")
}

func hook(h func(context.Context, int) error, ctx context.Context, n int) error {
	if h == nil {
		return nil
	}
	return h(ctx, n)
}

func (f *fake) Made(context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.object != nil, nil
}

func (f *fake) Put(ctx context.Context, body *Body) (backends.Object, error) {
	f.note("put")
	if err := hook(f.onPut, ctx, 1); err != nil {
		return backends.Object{}, err
	}
	p, err := read(body)
	if err != nil {
		return backends.Object{}, err
	}
	f.object = p
	return backends.Object{Size: body.Size(), ETag: "put"}, nil
}

func (f *fake) Start(ctx context.Context) error {
	f.note("start")
	return hook(f.onStart, ctx, 0)
}

func (f *fake) Part(ctx context.Context, n int, body *Body) error {
	f.enter()
	defer f.leave()
	if err := hook(f.onPart, ctx, n); err != nil {
		return err
	}
	if f.discard {
		_, err := io.Copy(io.Discard, body.Reader())
		return err
	}
	p, err := read(body)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.parts == nil {
		f.parts = make(map[int][]byte)
	}
	f.parts[n] = p
	return nil
}

func (f *fake) enter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy++
	f.width = max(f.width, f.busy)
}

func (f *fake) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
}

func (f *fake) Complete(ctx context.Context, parts int) (backends.Object, error) {
	f.note("complete")
	if err := hook(f.onComplete, ctx, parts); err != nil {
		return backends.Object{}, err
	}
	for n := 1; n <= parts; n++ {
		f.object = append(f.object, f.parts[n]...)
	}
	return backends.Object{Size: int64(len(f.object)), ETag: "parts"}, nil
}

func (f *fake) Keep(ctx context.Context, parts int, tail *Body) (int64, error) {
	f.note(fmt.Sprintf("keep %d+%d", parts, tail.Size()))
	if f.busy > 0 {
		return 0, errors.New("parts are under way")
	}
	if err := hook(f.onKeep, ctx, parts); err != nil {
		return 0, err
	}
	for n := 1; n <= parts; n++ {
		f.parked = append(f.parked, f.parts[n]...)
	}
	p, err := read(tail)
	f.parked = append(f.parked, p...)
	return int64(len(f.parked)), err
}

func (f *fake) Abort(ctx context.Context) error {
	f.note("abort")
	return hook(f.onAbort, ctx, 0)
}

// read reads a body and checks what it says of itself.
func read(body *Body) ([]byte, error) {
	p, err := io.ReadAll(body.Reader())
	if err != nil {
		return nil, err
	}
	if int64(len(p)) != body.Size() {
		return nil, fmt.Errorf("read %d octets of a body of %d", len(p), body.Size())
	}
	if sum := crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)); sum != body.CRC32C() {
		return nil, fmt.Errorf("CRC32C is %x, the body says %x", sum, body.CRC32C())
	}
	if sum := md5.Sum(p); body.MD5() != nil && !bytes.Equal(sum[:], body.MD5()) {
		return nil, fmt.Errorf("MD5 is %x, the body says %x", sum, body.MD5())
	}
	return p, nil
}

// wantReturned: threats I5, all of the budget is back.
func wantReturned(t testing.TB, b *Budget) {
	t.Helper()
	if memory, disk := b.Used(); memory != 0 || disk != 0 {
		t.Errorf("%d octets of memory and %d of disk are still held", memory, disk)
	}
	if b.memory.growing != 0 || b.memory.scarce() || b.growing.Len() != 0 {
		t.Errorf("still growing: %d octets, %d bodies; waiting: %v", b.memory.growing, b.growing.Len(), b.memory.scarce())
	}
}

func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return p
}

func newSpool(t testing.TB, size int64) *Spool {
	t.Helper()
	s, err := NewSpool(t.TempDir(), size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
