package journal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"

	"causeway/backends"
)

// staleAfter is when a record that stands in the way of Take is none of another Take that
// is under way, and takeTime bounds a Take to less.
const (
	staleAfter = time.Minute
	takeTime   = 30 * time.Second
)

// Entry is the record of an upload that this process is writing. One goroutine uses it at
// a time. It ends by Park, End or Leave.
type Entry struct {
	journal *Journal
	name    name
	record  Record
	over    bool
}

// Draft is the entry of a new upload of key of which nothing is written down yet: Park
// will, or Update.
func (j *Journal) Draft(key string, r Record) *Entry {
	e := &Entry{journal: j, name: name{key, rand.Text()[:familyLength] + rand.Text()[:familyLength], unparked, r.Tag}, record: r}
	j.claim(e.name.family()) // nobody else can have it
	return e
}

// Begin writes the record of a new upload of key, which is durable when it returns.
// errors.ErrUnsupported if the key leaves no room for a record's.
func (j *Journal) Begin(ctx context.Context, key string, r Record) (*Entry, error) {
	e := j.Draft(key, r)
	if err := e.Update(ctx, r, nil); err != nil {
		e.Leave()
		return nil, err
	}
	return e, nil
}

// Take makes the upload of a record this process's own: it writes a record of its own
// and removes the one before. ErrBusy if another is taking it or this process is writing
// it, fs.ErrNotExist if it was taken or has ended; it is as it was then. It takes 30 s at
// most.
func (j *Journal) Take(ctx context.Context, p backends.Parked, r Record) (*Entry, error) {
	return j.TakeTail(ctx, p, r, nil)
}

// TakeTail is Take with a tail in the new record.
//
// Of several gateways that take one upload at the same time at most one succeeds, without
// any conditional write: each writes its own record and then looks for those of others.
// Of two, at least the second to look sees both, and who sees another's gives up. A record
// too old to be another's attempt is of one that has died on the way.
func (j *Journal) TakeTail(ctx context.Context, p backends.Parked, r Record, tail *io.SectionReader) (*Entry, error) {
	from, ok := parse(p.ID)
	if !ok || from.key != p.Key {
		return nil, &backends.Error{Op: "create", Key: p.Key, Kind: fs.ErrNotExist}
	}
	e := &Entry{journal: j, name: name{p.Key, from.family() + rand.Text()[:familyLength], unparked, from.tag}}
	if !j.claim(from.family()) {
		return nil, &backends.Error{Op: "create", Key: p.Key, Kind: backends.ErrBusy}
	}
	ctx, cancel := context.WithTimeout(ctx, takeTime)
	defer cancel()
	if err := e.Update(ctx, r, tail); err != nil {
		e.Leave()
		return nil, err
	}
	before, err := e.rivals(ctx, from)
	if err != nil {
		return nil, errors.Join(err, e.retreat(ctx))
	}
	if err := e.succeed(ctx, before); err != nil {
		return nil, err
	}
	return e, nil
}

// rivals are the records of the upload that came before e's, if it is e's to take.
func (e *Entry) rivals(ctx context.Context, from name) ([]string, error) {
	page, err := e.journal.store.List(ctx, backends.Query{Prefix: e.name.attempts()})
	if err != nil {
		return nil, err
	}
	return e.before(page.Objects, from)
}

// succeed removes the records that came before e's. If that fails, e's own stays unless
// they are sure to be there: a request whose answer was lost may yet have removed them, and
// nobody would find the upload any more.
func (e *Entry) succeed(ctx context.Context, before []string) error {
	for i, key := range before {
		err := e.journal.store.Delete(ctx, key, backends.DeleteOptions{})
		switch {
		case err == nil:
		case i == 0 && errors.Is(err, fs.ErrPermission):
			return errors.Join(err, e.retreat(ctx))
		default:
			e.Leave()
			return err
		}
	}
	return nil
}

// before are the records to be removed of those listed. It fails unless e's own and the
// one that is taken are there, or if another may be taking it.
func (e *Entry) before(listed []backends.Object, from name) ([]string, error) {
	var keys []string
	var own, other time.Time
	there := false
	for _, o := range listed {
		n, ok := parse(o.Key)
		switch {
		case !ok:
			continue
		case n.id == e.name.id:
			own = o.ModTime
			continue
		case n == from:
			there = true
		case n.id != from.id && o.ModTime.After(other):
			other = o.ModTime
		}
		keys = append(keys, o.Key)
	}
	switch {
	case own.IsZero() || !there:
		return nil, &backends.Error{Op: "create", Key: from.key, Kind: fs.ErrNotExist}
	case !other.IsZero() && own.Sub(other) < staleAfter:
		return nil, &backends.Error{Op: "create", Key: from.key, Kind: backends.ErrBusy}
	}
	return keys, nil
}

// retreat removes e's own record after a Take that failed.
func (e *Entry) retreat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeTime)
	defer cancel()
	return e.End(ctx)
}

// Record is what was written.
func (e *Entry) Record() Record { return e.record }

// Revise is what Park is to write.
func (e *Entry) Revise(r Record) { e.record = r }

// Update writes the record anew, with a tail or without one if it is nil.
func (e *Entry) Update(ctx context.Context, r Record, tail *io.SectionReader) error {
	e.record = r
	return e.save(ctx, e.name, tail)
}

// Owned tells whether the upload is still this process's: nobody has taken it, or ended
// it.
func (e *Entry) Owned(ctx context.Context) (bool, error) {
	page, err := e.journal.store.List(ctx, backends.Query{Prefix: e.name.String(), Limit: 1})
	return len(page.Objects) > 0, err
}

// Forsaken tells whether no attempt at the upload has a record any more: it has become an
// object or was ended, and what is left of it in the store is nobody's.
func (e *Entry) Forsaken(ctx context.Context) (bool, error) {
	page, err := e.journal.store.List(ctx, backends.Query{Prefix: e.name.attempts(), Limit: 1})
	return err == nil && len(page.Objects) == 0 && page.Next == "", err
}

// Park writes that the upload is parked with size octets in all, of which tail, which may
// be nil, has the last. The entry is over.
func (e *Entry) Park(ctx context.Context, size int64, tail *io.SectionReader) error {
	defer e.Leave()
	parked := e.name
	parked.state = strconv.FormatInt(size, 10)
	if err := e.save(ctx, parked, tail); err != nil {
		return err
	}
	// It is parked already: a record more of it does no harm (see Journal.List).
	_ = e.journal.store.Delete(ctx, e.name.String(), backends.DeleteOptions{})
	return nil
}

// End removes the record: the upload was committed or aborted. The entry is over.
func (e *Entry) End(ctx context.Context) error {
	defer e.Leave()
	return e.journal.store.Delete(ctx, e.name.String(), backends.DeleteOptions{})
}

// Leave ends the entry and lets the record be, as a gateway does that dies. It may be
// called again.
func (e *Entry) Leave() {
	e.journal.mu.Lock()
	defer e.journal.mu.Unlock()
	if !e.over { // else it may be another's by now
		e.over = true
		delete(e.journal.live, e.name.family())
	}
}

// save writes the record under a name.
func (e *Entry) save(ctx context.Context, as name, tail *io.SectionReader) error {
	if tail == nil {
		tail = io.NewSectionReader(nil, 0, 0)
	}
	key := as.String()
	if as.key == "" || !backends.ValidKey(key) {
		return &backends.Error{Op: "park", Key: key, Kind: errors.ErrUnsupported, Err: errors.New("the key leaves no room for a record's")}
	}
	e.record.Version, e.record.Tail = version, tail.Size()
	line, err := json.Marshal(e.record)
	if err != nil {
		return err
	}
	if len(line) >= maxLine {
		return &backends.Error{Op: "park", Key: key, Kind: errors.ErrUnsupported, Err: fmt.Errorf("a record of %d octets", len(line))}
	}
	c := content{line: append(line, '\n'), tail: tail}
	return e.journal.store.Save(ctx, key, io.NewSectionReader(c, 0, c.size()), c.size())
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
