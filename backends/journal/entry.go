package journal

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"causeway/backends"
)

// maxLine bounds the line of a record in octets.
const maxLine = 1 << 20

// Entry is the record of an upload that this process is writing. One goroutine uses it at
// a time. It ends by Park, End or Leave.
type Entry struct {
	journal *Journal
	name    name
	record  Record
}

// Begin writes the record of a new upload of key, which is durable when it returns.
func (j *Journal) Begin(ctx context.Context, key string, r Record) (*Entry, error) {
	e := &Entry{journal: j, name: name{key, rand.Text(), unparked}, record: r}
	e.record.Version = version
	e.live(true)
	if err := e.save(ctx, e.name, nil); err != nil {
		e.live(false)
		return nil, err
	}
	return e, nil
}

// Take makes the upload of a record this process's own: it writes a record of its own
// and removes the one before.
func (j *Journal) Take(ctx context.Context, p backends.Parked, r Record) (*Entry, error) {
	e, err := j.Begin(ctx, p.Key, r)
	if err != nil {
		return nil, err
	}
	if err := j.store.Delete(ctx, p.ID, backends.DeleteOptions{}); err != nil {
		return nil, errors.Join(err, e.End(context.WithoutCancel(ctx)))
	}
	return e, nil
}

// Record is what was written.
func (e *Entry) Record() Record { return e.record }

// Owned tells whether the upload is still this process's: nobody has taken it, or ended
// it.
func (e *Entry) Owned(ctx context.Context) (bool, error) {
	page, err := e.journal.store.List(ctx, backends.Query{Prefix: e.name.String(), Limit: 1})
	return len(page.Objects) > 0, err
}

// Park writes that the upload is parked with size octets in all, of which tail, which may
// be nil, has the last. The entry is over.
func (e *Entry) Park(ctx context.Context, size int64, tail *io.SectionReader) error {
	defer e.live(false)
	parked := e.name
	parked.state = fmt.Sprint(size)
	if err := e.save(ctx, parked, tail); err != nil {
		return err
	}
	return e.journal.store.Delete(ctx, e.name.String(), backends.DeleteOptions{})
}

// End removes the record: the upload was committed or aborted. The entry is over.
func (e *Entry) End(ctx context.Context) error {
	defer e.live(false)
	return e.journal.store.Delete(ctx, e.name.String(), backends.DeleteOptions{})
}

// Leave ends the entry and lets the record be, as a gateway does that dies.
func (e *Entry) Leave() { e.live(false) }

func (e *Entry) live(is bool) { //nolint:revive // the fact, not a mode
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	if is {
		e.journal.live[e.name.id] = struct{}{}
	} else {
		delete(e.journal.live, e.name.id)
	}
}

// save writes the record under a name.
func (e *Entry) save(ctx context.Context, as name, tail *io.SectionReader) error {
	if tail == nil {
		tail = io.NewSectionReader(nil, 0, 0)
	}
	e.record.Tail = tail.Size()
	line, err := json.Marshal(e.record)
	if err != nil {
		return err
	}
	if key := as.String(); !backends.ValidKey(key) {
		return &backends.Error{Op: "park", Key: key, Kind: errors.ErrUnsupported, Err: errors.New("the key leaves no room for a record's")}
	}
	c := content{line: append(line, '\n'), tail: tail}
	return e.journal.store.Save(ctx, as.String(), io.NewSectionReader(c, 0, c.size()), c.size())
}

// content is a line and then a tail, as an io.ReaderAt.
type content struct {
	line []byte
	tail *io.SectionReader
}

func (c content) size() int64 { return int64(len(c.line)) + c.tail.Size() }

func (c content) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(c.line)) {
		n = copy(p, c.line[off:])
	}
	if n == len(p) {
		return n, nil
	}
	k, err := c.tail.ReadAt(p[n:], off+int64(n)-int64(len(c.line)))
	return n + k, err
}

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

// List tells what fits q by one request. Keys that are no records are left out.
func (j *Journal) List(ctx context.Context, q backends.ParkedQuery) (Page, error) {
	listed, err := j.store.List(ctx, backends.Query{Prefix: prefix + q.Prefix, Delimiter: q.Direct, Token: q.Token})
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: listed.Next}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range listed.Objects {
		if n, ok := parse(o.Key); ok {
			_, live := j.live[n.id]
			page.Uploads = append(page.Uploads, Upload{backends.Parked{ID: o.Key, Key: n.key, Size: n.size(), ModTime: o.ModTime}, live})
		}
	}
	return page, nil
}

// Lookup takes the id of a record apart without a request. fs.ErrNotExist if it is none.
func (j *Journal) Lookup(id string) (Upload, error) {
	n, ok := parse(id)
	if !ok {
		return Upload{}, &backends.Error{Op: "park", Key: id, Kind: fs.ErrNotExist}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_, live := j.live[n.id]
	return Upload{backends.Parked{ID: id, Key: n.key, Size: n.size()}, live}, nil
}

// Load reads a record and its tail. The caller closes the tail. fs.ErrNotExist if it is
// gone; errors.ErrUnsupported if a later version of the gateway has written it.
func (j *Journal) Load(ctx context.Context, id string) (Record, io.ReadCloser, time.Time, error) {
	r, err := j.store.Open(ctx, id, backends.OpenOptions{})
	if err != nil {
		return Record{}, nil, time.Time{}, err
	}
	lines := bufio.NewReader(r)
	var record Record
	err = json.NewDecoder(io.LimitReader(lineReader{lines}, maxLine)).Decode(&record)
	if err == nil && record.Version != version {
		err = errors.ErrUnsupported
	}
	if err != nil {
		_ = r.Close() // it was only read
		return Record{}, nil, time.Time{}, &backends.Error{Op: "park", Key: id, Kind: errors.ErrUnsupported, Err: err}
	}
	return record, tail{lines, r}, r.Object.ModTime, nil
}

// lineReader reads octets up to and with the first line feed.
type lineReader struct{ from *bufio.Reader }

func (l lineReader) Read(p []byte) (int, error) {
	for i := range p {
		c, err := l.from.ReadByte()
		if err != nil {
			return i, err
		}
		if p[i] = c; c == '\n' {
			return i + 1, nil
		}
	}
	return len(p), nil
}

// tail is what follows a record's line.
type tail struct {
	*bufio.Reader
	io.Closer
}
