package journal

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"causeway/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a store in memory. Any number of journals may be in it, as many gateways are in
// one bucket.
type fake struct {
	// before is called before the request, where set, and fails it by an error. Its op is
	// that of the method.
	before func(op, key string) error

	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	content []byte
	time    time.Time
}

func (f *fake) hook(op, key string) error {
	if f.before == nil {
		return nil
	}
	return f.before(op, key)
}

func (f *fake) Save(_ context.Context, key string, content io.ReadSeeker, size int64) error {
	if err := f.hook("save", key); err != nil {
		return err
	}
	p, err := io.ReadAll(content)
	if err != nil || int64(len(p)) != size {
		return io.ErrUnexpectedEOF
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.objects == nil {
		f.objects = make(map[string]object)
	}
	f.objects[key] = object{p, time.Now()}
	return nil
}

func (f *fake) List(_ context.Context, q backends.Query) (backends.Page, error) {
	if err := f.hook("list", q.Prefix); err != nil {
		return backends.Page{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var page backends.Page
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		rest, ok := strings.CutPrefix(key, q.Prefix)
		if ok && (!q.Delimiter || !strings.Contains(rest, "/")) {
			page.Objects = append(page.Objects, backends.Object{Key: key, ModTime: f.objects[key].time})
		}
	}
	return page, nil
}

func (f *fake) Open(_ context.Context, key string, _ backends.OpenOptions) (*backends.Reader, error) {
	if err := f.hook("open", key); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o, ok := f.objects[key]
	if !ok {
		return nil, &backends.Error{Op: "open", Key: key, Kind: fs.ErrNotExist}
	}
	return &backends.Reader{Object: backends.Object{Key: key, ModTime: o.time}, ReadCloser: io.NopCloser(bytes.NewReader(o.content))}, nil
}

func (f *fake) Delete(_ context.Context, key string, _ backends.DeleteOptions) error {
	if err := f.hook("delete", key); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, key)
	return nil
}

// states are the states of the records in f, in order of their names.
func (f *fake) states(t *testing.T) string {
	t.Helper()
	var states []string
	for _, key := range slices.Sorted(maps.Keys(f.objects)) {
		n, ok := parse(key)
		if !ok {
			t.Errorf("%q is no record", key)
		}
		states = append(states, n.key+":"+n.state)
	}
	return strings.Join(states, " ")
}

// section is a tail.
func section(s string) *io.SectionReader {
	return io.NewSectionReader(strings.NewReader(s), 0, int64(len(s)))
}

// parked is the only upload in j.
func only(t *testing.T, j *Journal) Upload {
	t.Helper()
	page, err := j.List(t.Context(), backends.ParkedQuery{})
	if err != nil || len(page.Uploads) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	return page.Uploads[0]
}
