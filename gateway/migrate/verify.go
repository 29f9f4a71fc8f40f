package migrate

import (
	"bytes"
	"context"
	"crypto/md5"  //nolint:gosec // it is what the store has
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"

	"causeway/backends"
)

// errDiffers: the target has got other content than the source has.
var errDiffers = errors.New("the contents differ")

// algorithms are the checksums that are compared, the strongest first.
func algorithms() []backends.Sum {
	return []backends.Sum{backends.SHA256, backends.SHA512, backends.SHA1, backends.MD5, backends.CRC32}
}

// sum is a checksum that the source tells of a file, and that of what was read.
type sum struct {
	algorithm backends.Sum // "" if the source tells none
	want      []byte
	hash      hash.Hash // of what was read; nil until over
}

func newHash(a backends.Sum) hash.Hash {
	switch a {
	case backends.SHA256:
		return sha256.New()
	case backends.SHA512:
		return sha512.New()
	case backends.SHA1:
		return sha1.New() //nolint:gosec // as above
	case backends.MD5:
		return md5.New() //nolint:gosec // as above
	default:
		return crc32.NewIEEE()
	}
}

// sumOf asks the source to compute a checksum. One that cannot, or that refuses to, has none.
func (m *migration) sumOf(ctx context.Context, p pair) (sum, error) {
	if m.Verify == VerifySize {
		return sum{}, nil
	}
	a, want, err := backends.SumOf(ctx, m.From.Store, m.From.Prefix+p.name, algorithms())
	switch {
	case err == nil:
		return sum{algorithm: a, want: want}, nil
	case errors.Is(err, backends.ErrUnavailable), errors.Is(err, fs.ErrNotExist), ctx.Err() != nil:
		return sum{}, sourceError{err}
	}
	return sum{}, nil
}

// kept is the checksum that the source keeps of an object.
func (m *migration) kept(o backends.Object) sum {
	for _, a := range algorithms() {
		if want := o.Sums[a]; len(want) > 0 && m.Verify != VerifySize {
			return sum{algorithm: a, want: want}
		}
	}
	return sum{}
}

func (s *sum) known() bool { return s.algorithm != "" }

// unlessKnown makes s other if it is not known.
func (s *sum) unlessKnown(other sum) {
	if !s.known() {
		*s = other
	}
}

// over is r, of which what is read is summed up.
func (s *sum) over(r io.Reader) io.Reader {
	if !s.known() {
		return r
	}
	s.hash = newHash(s.algorithm)
	return io.TeeReader(r, s.hash)
}

// judge is errDiffers if what was read is not what the source has.
func (s *sum) judge() error {
	if !s.known() {
		return nil
	}
	return s.compare(s.hash.Sum(nil))
}

func (s *sum) compare(got []byte) error {
	if bytes.Equal(got, s.want) {
		return nil
	}
	return fmt.Errorf("%w: the source has the %s %x, what came of it %x", errDiffers, s.algorithm, s.want, got)
}

// unlessChanged is err, or, if that is errDiffers, that the source is another version by now.
func (m *migration) unlessChanged(ctx context.Context, p pair, err error) error {
	if !errors.Is(err, errDiffers) {
		return err
	}
	now, statErr := m.From.stat(ctx, p.name)
	switch {
	case statErr != nil:
		return sourceError{statErr}
	case now == nil:
		return sourceError{&backends.Error{Op: "read", Key: p.from.Key, Kind: fs.ErrNotExist}}
	case now.ETag != p.from.ETag:
		return sourceError{&backends.Error{Op: "read", Key: p.from.Key, Kind: backends.ErrChanged}}
	}
	return err
}

// errUnverified: the copy was taken away, or was to be.
var errUnverified = errors.New("the copy cannot be verified")

// verified checks a copy, and takes it away if it is not right, or if that cannot be known: the
// next run would take it for verified.
func (m *migration) verified(ctx context.Context, p pair, made backends.Object, s sum) error {
	err := m.check(ctx, p, made, s)
	if err == nil {
		return nil
	}
	if !errors.Is(err, errDiffers) && !errors.Is(err, backends.ErrChanged) && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %v", errUnverified, err) //nolint:errorlint // of no kind that is tried again, which would find the copy there
	}
	return m.unlessChanged(ctx, p, errors.Join(err, m.remove(ctx, p, made)))
}

// check compares what the target has, of which this run has not read all, with the checksum
// of the source: by the one that the target keeps, else it is read back.
func (m *migration) check(ctx context.Context, p pair, made backends.Object, s sum) error {
	var got []byte
	err := repeat(ctx, func() error {
		r, err := m.To.Store.Open(ctx, m.To.Prefix+p.name, backends.OpenOptions{IfMatch: made.ETag})
		if err != nil {
			return err
		}
		defer r.Close() //nolint:errcheck // it was only read
		if got = r.Object.Sums[s.algorithm]; len(got) > 0 {
			return nil
		}
		h := newHash(s.algorithm)
		_, err = io.Copy(h, r)
		got = h.Sum(nil)
		return err
	})
	if err != nil {
		return err
	}
	return s.compare(got)
}

// compare reads both sides: errDiffers, with where, unless they are the same.
func (m *migration) compare(ctx context.Context, p pair, etag string) error {
	return repeat(ctx, func() error {
		from, err := m.From.Store.Open(ctx, m.From.Prefix+p.name, backends.OpenOptions{IfMatch: p.from.ETag})
		if err != nil {
			return sourceError{err}
		}
		defer from.Close() //nolint:errcheck // it was only read
		to, err := m.To.Store.Open(ctx, m.To.Prefix+p.name, backends.OpenOptions{IfMatch: etag})
		if err != nil {
			return err
		}
		defer to.Close() //nolint:errcheck // as above
		return sameOctets(&source{ctx: ctx, m: m, r: from}, to)
	})
}

// sameOctets reads both to their ends.
func sameOctets(from, to io.Reader) error {
	a, b := make([]byte, maxChunk), make([]byte, maxChunk)
	for at := int64(0); ; {
		n, fromErr := io.ReadFull(from, a)
		if fromErr != nil && !atEnd(fromErr) {
			return fromErr
		}
		k, toErr := io.ReadFull(to, b)
		if toErr != nil && !atEnd(toErr) {
			return toErr
		}
		if !bytes.Equal(a[:n], b[:k]) {
			return fmt.Errorf("%w, somewhere in the %d octets from %d on", errDiffers, max(n, k), at)
		}
		if fromErr != nil {
			return nil
		}
		at += int64(n)
	}
}

// atEnd tells an error of io.ReadFull's own: what wraps one is a failure of the reader.
func atEnd(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // as it says
}
