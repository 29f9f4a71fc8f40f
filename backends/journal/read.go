package journal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"time"

	"causeway/backends"
)

// maxLine bounds the line of a record in octets.
const maxLine = 1 << 20

// Upload is a record as a listing tells it.
type Upload struct {
	backends.Parked      // Size is -1 if the upload is not parked: its gateway has died, or is another one
	Live            bool // this process is writing it
}

// Page is one page of records.
type Page struct {
	Uploads []Upload
	Next    string
}

// List tells what fits q by one request. Keys that are no records are left out, and so is
// one that should have been removed when its upload was parked.
func (j *Journal) List(ctx context.Context, q backends.ParkedQuery) (Page, error) {
	listed, err := j.store.List(ctx, backends.Query{Prefix: prefix + q.Prefix, Delimiter: q.Direct, Token: q.Token})
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: listed.Next}
	parked := "" // the id before, if that is parked; digits are listed before letters
	for _, o := range listed.Objects {
		n, ok := parse(o.Key)
		if !ok || n.id == parked && n.state == unparked {
			continue
		}
		if parked = ""; n.state != unparked {
			parked = n.id
		}
		page.Uploads = append(page.Uploads, Upload{
			backends.Parked{ID: o.Key, Key: n.key, Size: n.size(), ModTime: o.ModTime, Tag: n.tag, Open: n.state == unparked}, j.claimed(n.family()),
		})
	}
	return page, nil
}

// Lookup takes the id of a record apart without a request. fs.ErrNotExist if it is none.
func (j *Journal) Lookup(id string) (Upload, error) {
	n, ok := parse(id)
	if !ok {
		return Upload{}, &backends.Error{Op: "park", Key: id, Kind: fs.ErrNotExist}
	}
	return Upload{backends.Parked{ID: id, Key: n.key, Size: n.size(), Tag: n.tag, Open: n.state == unparked}, j.claimed(n.family())}, nil
}

// Load reads a record and its tail. The caller closes the tail. fs.ErrNotExist if it is
// gone; errors.ErrUnsupported if a later version of the gateway has written it, or it is no
// record at all.
func (j *Journal) Load(ctx context.Context, id string) (Record, io.ReadCloser, time.Time, error) {
	r, err := j.store.Open(ctx, id, backends.OpenOptions{})
	if err != nil {
		return Record{}, nil, time.Time{}, err
	}
	lines := bufio.NewReader(r)
	record, err := decode(lines, id)
	if err != nil {
		_ = r.Close() // it was only read
		return Record{}, nil, time.Time{}, err
	}
	return record, tail{io.LimitReader(lines, record.Tail), r}, r.Object.ModTime, nil
}

// decode reads the line of a record.
func decode(from *bufio.Reader, id string) (Record, error) {
	var line []byte
	for len(line) < maxLine && !bytes.HasSuffix(line, []byte("\n")) {
		piece, err := from.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && err != io.EOF {
			return Record{}, err
		}
		if line = append(line, piece...); err == io.EOF {
			break
		}
	}
	var r Record
	err := json.Unmarshal(line, &r)
	if err == nil && (r.Version != version || r.Tail < 0) {
		err = errors.New("of another version")
	}
	if err != nil {
		return Record{}, &backends.Error{Op: "park", Key: id, Kind: errors.ErrUnsupported, Err: err}
	}
	return r, nil
}

// tail is what follows a record's line.
type tail struct {
	io.Reader
	io.Closer
}
