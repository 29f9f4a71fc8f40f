package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
)

// arrived is what is durable of an upload: parts, and then a tail in its record.
type arrived struct {
	chain chain
	parts []part
	tail  int64     // octets
	top   int       // the highest number of any part that the server has
	last  time.Time // when the newest part was stored, zero if there is none
}

func (a arrived) size() int64 { return octets(a.parts) + a.tail }

// cut is a of the first n octets. It reports false past its end or inside a part.
func (a arrived) cut(n int64) (arrived, bool) {
	if whole := octets(a.parts); n > whole {
		fits := n <= whole+a.tail
		a.tail = n - whole
		return a, fits
	}
	a.tail = 0
	for i, p := range a.parts {
		if n < p.size {
			a.parts = a.parts[:i]
			break
		}
		n -= p.size
	}
	return a, n == 0
}

// arrived finds out what is durable of an upload by its record. fs.ErrNotExist if it is
// worthless: its multipart upload has ended, or parts that count were replaced.
func (s *Store) arrived(ctx context.Context, u backends.Parked, r journal.Record) (arrived, error) {
	c, err := parseChain(r.Before)
	if err != nil {
		return arrived{}, &backends.Error{Op: "park", Key: u.Key, Kind: errors.ErrUnsupported, Err: err}
	}
	if r.Native == "" {
		return arrived{chain: c, tail: r.Tail}, nil
	}
	listed, err := s.listParts(ctx, u.Key, r.Native)
	if err != nil {
		return arrived{}, err
	}
	if c.Copy {
		return arrived{chain: c, last: newest(listed)}, nil
	}
	parts, own, ok := c.pick(listed, s.least)
	if !ok {
		return arrived{}, &backends.Error{Op: "park", Key: u.Key, Kind: fs.ErrNotExist, Err: errors.New("parts of the upload are not those of its record")}
	}
	if !u.Open { // parked: what has come after is of another who is taking it up
		parts, own = parts[:len(parts)-own], 0
	}
	a := arrived{chain: c, parts: parts, tail: r.Tail, last: newest(parts)}
	if own > 0 {
		a.tail = 0 // the first of the attempt's own parts begins with it
	}
	if n := len(listed); n > 0 {
		a.top = listed[n-1].number
	}
	return a, nil
}

// newest is when the last of parts was stored.
func newest(parts []part) time.Time {
	var last time.Time
	for _, p := range parts {
		if p.time.After(last) {
			last = p.time
		}
	}
	return last
}

// resume is Create with Resume: it makes the upload of a record this process's own.
func (s *Store) resume(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	from, err := s.journal.Lookup(o.Resume)
	switch {
	case err != nil || from.Key != key:
		return nil, &backends.Error{Op: "create", Key: key, Kind: fs.ErrNotExist}
	case from.Live:
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrBusy}
	}
	r, tail, _, err := s.journal.Load(ctx, from.ID)
	if err != nil {
		return nil, err
	}
	defer tail.Close() //nolint:errcheck // it was only read
	a, err := s.arrived(ctx, from.Parked, r)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, s.bury(ctx, from.ID, key, r))
	}
	if err != nil {
		return nil, err
	}
	if a.chain.Copy {
		return nil, &backends.Error{Op: "create", Key: key, Kind: fs.ErrNotExist}
	}
	a, ok := a.cut(o.At)
	if !ok {
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrRange}
	}
	t, err := s.resumed(key, o, r)
	if err != nil {
		return nil, err
	}
	return t.goOn(ctx, from, a, io.LimitReader(tail, a.tail))
}

// resumed is the target of an upload with a record.
func (s *Store) resumed(key string, o backends.CreateOptions, r journal.Record) (*target, error) {
	anew := o.ContentType != "" && o.ContentType != r.ContentType || o.Metadata != nil && !maps.Equal(o.Metadata, r.Metadata)
	if anew && r.Native != "" {
		return nil, &backends.Error{Op: "create", Key: key, Kind: errors.ErrUnsupported,
			Err: errors.New("an upload in parts has the properties that it was begun with")}
	}
	o.ContentType = cmp.Or(o.ContentType, r.ContentType)
	if o.Metadata == nil {
		o.Metadata = r.Metadata
	}
	if o.IfMatch == "" {
		o.IfMatch, o.IfAbsent = r.IfMatch, o.IfAbsent || r.IfAbsent
	}
	if o.IfMatch != "" {
		o.IfAbsent = false // servers take one condition, and this one implies that what is there is known
	}
	t := s.target(key, o)
	t.lost = true // until it is taken
	if r.Native != "" {
		t.upload = aws.String(r.Native)
	}
	return t, nil
}

// goOn begins the upload after what has arrived of it, and takes it.
func (t *target) goOn(ctx context.Context, from journal.Upload, a arrived, tail io.Reader) (backends.Upload, error) {
	next := max(a.chain.Next, a.top+1)
	if from.Size < 0 {
		next += lead
	}
	if next > maxParts {
		return nil, &backends.Error{Op: "create", Key: t.key, Kind: backends.ErrQuota, Err: errors.New("no part numbers are left")}
	}
	t.head = len(a.parts)
	for i, p := range a.parts {
		t.parts[i+1] = p
	}
	if t.upload != nil {
		t.chain = a.chain.after(a.parts, next)
	}
	o := t.options(t.key, t.o)
	o.MD5 = !t.chain.Summed
	o.MaxParts = t.head + maxParts - t.chain.Next + 1
	o.Head = multipart.Head{Parts: t.head, Size: octets(a.parts), Held: true}
	u := multipart.New(ctx, t, t.budget, o)
	err := t.take(ctx, u, from, a.tail, tail)
	if err != nil {
		// What could not be taken is left as it is: see lost.
		return nil, errors.Join(err, u.Abort())
	}
	return u, nil
}

// take makes the upload this process's own, with the tail as what is written first.
func (t *target) take(ctx context.Context, u *multipart.Upload, from journal.Upload, size int64, tail io.Reader) error {
	n, err := io.Copy(u, tail)
	if err == nil && n != size {
		err = &backends.Error{Op: "create", Key: t.key, Kind: backends.ErrUnavailable, Err: fmt.Errorf("tail ended at octet %d of %d", n, size)}
	}
	if err != nil {
		return err
	}
	t.tail = u.Pending()
	entry, err := t.journal.TakeTail(ctx, from.Parked, t.record(), t.tail)
	if err != nil {
		return err
	}
	t.entry = entry
	if err := t.outrun(ctx, from); err != nil {
		entry.Leave()
		return err
	}
	t.lost = false
	return nil
}

// outrun makes sure that the writer before, if it may be alive, will not reach the part
// numbers of this attempt: it may have sent many before it lost the upload.
func (t *target) outrun(ctx context.Context, from journal.Upload) error {
	if from.Size >= 0 || t.upload == nil {
		return nil
	}
	listed, err := t.listParts(ctx, t.key, *t.upload)
	if err != nil || len(listed) == 0 {
		return err
	}
	next := listed[len(listed)-1].number + 1 + lead
	if next <= t.chain.Next {
		return nil
	}
	t.chain.Next = next
	return t.entry.Update(ctx, t.record(), t.tail)
}
