package multipart

import (
	"container/list"
	"context"
	"crypto/md5" //nolint:gosec // a checksum that stores ask for, not a protection
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Body is the content of one part, in memory or spooled. A [Target] reads it; it is valid
// until the Target's method returns, and may be read by several goroutines.
type Body struct {
	budget *Budget
	limit  int64 // octets when full

	// Of the budget's lists and ledgers.
	memory, disk account
	since        time.Time
	place        *list.Element

	mu      sync.RWMutex
	size    int64
	granted int64    // octets of memory, or once spooled of disk, that may be filled
	chunks  []*chunk // while in memory
	file    *os.File // once spooled
	crc     uint32
	md5     hash.Hash
	sealed  bool // complete
	closed  bool // its memory belongs to others
}

func newBody(b *Budget, limit int64, o Options) *Body {
	rounded := (limit + chunkSize - 1) / chunkSize * chunkSize
	body := &Body{budget: b, limit: limit, memory: account{want: rounded}, disk: account{want: limit}}
	if o.MD5 {
		body.md5 = md5.New() //nolint:gosec // as above
	}
	return body
}

// Size is the number of octets.
func (b *Body) Size() int64 { return b.size }

// CRC32C is the checksum of the content, computed while it was written.
func (b *Body) CRC32C() uint32 { return b.crc }

// MD5 is the digest of the content, nil unless Options.MD5.
func (b *Body) MD5() []byte {
	if b.md5 == nil {
		return nil
	}
	return b.md5.Sum(nil)
}

// Reader returns a new reader of the content from its beginning, independent of others.
// It fails with fs.ErrClosed once the part is over: HTTP transports may go on reading a
// request's body after the request has failed, and would then send what belongs to
// another upload.
func (b *Body) Reader() *io.SectionReader { return io.NewSectionReader(content{b}, 0, b.size) }

// content is a Body as an io.ReaderAt. There is no io.WriterTo, which would hold memory
// for as long as a store's connection hangs.
type content struct{ *Body }

func (c content) ReadAt(p []byte, off int64) (int, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case c.closed:
		return 0, fs.ErrClosed
	case c.file != nil:
		return c.file.ReadAt(p, off)
	}
	n := 0
	for n < len(p) && off < c.size {
		end := min(chunkSize, c.size-off/chunkSize*chunkSize)
		k := copy(p[n:], c.chunks[off/chunkSize][off%chunkSize:end])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// left is how many octets still fit in the part.
func (b *Body) left() int64 { return b.limit - b.size }

// write appends p, which fits, taking memory or disk as needed. One goroutine writes.
func (b *Body) write(ctx context.Context, p []byte) error {
	for {
		n, err := b.fill(p)
		if p = p[n:]; err != nil || len(p) == 0 {
			return err
		}
		if err := b.grow(ctx); err != nil {
			return err
		}
	}
}

// fill appends what there is room for.
func (b *Body) fill(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p = p[:min(int64(len(p)), b.granted-b.size)]
	if len(p) == 0 {
		return 0, nil
	}
	if err := b.store(p); err != nil {
		return 0, err
	}
	b.size += int64(len(p))
	b.crc = crc32.Update(b.crc, castagnoli, p)
	if b.md5 != nil {
		b.md5.Write(p)
	}
	return len(p), nil
}

// castagnoli is read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// store puts p after the content. The caller holds mu.
func (b *Body) store(p []byte) error {
	if b.file != nil {
		if _, err := b.file.WriteAt(p, b.size); err != nil {
			return spoolError("write", err)
		}
		return nil
	}
	for at := b.size; len(p) > 0; {
		if at%chunkSize == 0 {
			c, err := b.budget.chunks.get()
			if err != nil {
				return err
			}
			b.chunks = append(b.chunks, c)
		}
		k := copy(b.chunks[at/chunkSize][at%chunkSize:], p)
		p, at = p[k:], at+int64(k)
	}
	return nil
}

// grow takes the next memory or disk.
func (b *Body) grow(ctx context.Context) error {
	spooled, stride, err := b.next()
	if err != nil {
		return err
	}
	var got int64
	if spooled {
		got, err = b.budget.spool.take(ctx, b, maxStride)
	} else {
		got, err = b.budget.take(ctx, b, stride)
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// Memory that came while the part was moved to the spool went back by that.
	if spooled == (b.file != nil) {
		b.granted += got
	}
	return nil
}

// next decides what to take. A part that memory is too small for begins on disk.
func (b *Body) next() (spooled bool, stride int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil && b.limit > b.budget.largest() {
		if b.file, err = b.budget.spool.create(); err != nil {
			return false, 0, err
		}
	}
	if b.granted == 0 && b.file == nil {
		b.budget.watch(b)
	}
	return b.file != nil, min(max(b.granted/4/chunkSize, 1)*chunkSize, maxStride), nil
}

// spill moves a growing part to the spool, and reports false if that has no room.
func (b *Body) spill() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed || b.closed || b.file != nil {
		return true
	}
	s := b.budget.spool
	if !s.space.try(&b.disk, min(b.granted, b.limit)) {
		b.budget.watch(b)
		return false
	}
	f, err := b.save()
	if err != nil {
		// The disk is full or broken: the part stays in memory, nothing is lost.
		b.budget.watch(b)
		s.space.close(&b.disk)
		b.disk = account{want: b.limit}
		return false
	}
	b.file, b.granted = f, min(b.granted, b.limit)
	b.recycle()
	return true
}

// save writes the content to a new file.
func (b *Body) save() (*os.File, error) {
	f, err := b.budget.spool.create()
	if err != nil {
		return nil, err
	}
	for off := int64(0); off < b.size; off += chunkSize {
		c := b.chunks[off/chunkSize] // there may be more, for what could not be stored
		if _, err := f.WriteAt(c[:min(chunkSize, b.size-off)], off); err != nil {
			_ = f.Close() // it has no name and nothing of value
			return nil, spoolError("write", err)
		}
	}
	return f, nil
}

// recycle gives all memory back. The caller holds mu.
func (b *Body) recycle() {
	b.budget.chunks.put(b.chunks...)
	b.chunks = nil
	b.budget.memory.close(&b.memory)
}

// seal says that the part is complete: what it holds comes back once it was sent.
func (b *Body) seal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	b.budget.unwatch(b)
	b.budget.memory.seal(&b.memory)
	if b.file != nil {
		b.budget.spool.space.seal(&b.disk)
	}
}

// close gives everything back. It may be called again.
func (b *Body) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.budget.unwatch(b)
	b.recycle()
	if b.file != nil {
		_ = b.file.Close() // it has no name: closing it is deleting it
		b.budget.spool.space.close(&b.disk)
	}
}
