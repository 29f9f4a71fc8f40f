package gcs

import (
	"errors"
	"hash/crc32"
	"io"

	"causeway/backends"
)

// castagnoli is read only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("the content and the checksum that the store names do not fit")

// body is the content of an object being read. A whole object that arrives damaged ends
// in an error instead of io.EOF. One goroutine uses it.
type body struct {
	io.ReadCloser
	key string

	checked bool // the whole object is being read and its checksum is known
	left    int64
	crc     uint32
	want    uint32
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.checked && n > 0 {
		b.crc = crc32.Update(b.crc, castagnoli, p[:n])
		if b.left -= int64(n); b.left == 0 && b.crc != b.want {
			// With the last octets, so that nobody reads those alone once more.
			return n, &backends.Error{Op: "read", Key: b.key, Kind: backends.ErrUnavailable, Err: errDamaged}
		}
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	return n, failure("read", b.key, condition{}, err)
}

// CRC32C tells what has been read of a whole object with a known checksum, and that: package
// readahead goes on from there when it reads the rest in ranges.
func (b *body) CRC32C() (sofar, whole uint32, ok bool) { return b.crc, b.want, b.checked }
