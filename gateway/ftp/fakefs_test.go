package ftp

import (
	"cmp"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// fakeFS keeps files in memory. A path segment that names an error, such as
// "unavailable", fails with it.
type fakeFS struct {
	mu       sync.Mutex
	files    map[Path][]byte
	times    map[Path]time.Time
	dirs     map[Path]bool
	parked   map[Path][]byte
	policy   Policy        // of all uploads
	uploads  int           // begun and not ended
	aborted  int           // ended by Abort
	flushed  int           // by Flush, before a Commit
	hold     chan struct{} // when not nil, Commit waits for it
	holding  chan struct{} // closed when Commit waits
	readErr  error         // of the last Read of a Download
	perRead  int           // octets of a Read, all if 0
	retrieve func(ctx context.Context) error
}

var fakeTime = time.Date(1999, 12, 24, 18, 30, 15, 0, time.UTC)

func newFakeFS() *fakeFS {
	f := &fakeFS{files: map[Path][]byte{}, times: map[Path]time.Time{}, dirs: map[Path]bool{{}: true}, parked: map[Path][]byte{}}
	f.put("/readme.txt", "hello\nworld\n")
	f.put("/in/a b.txt", "spaces")
	f.put("/in/b.bin", "0123456789")
	f.dirs[mustPath("/empty")] = true
	return f
}

func mustPath(s string) Path {
	p, err := Path{}.Join(s)
	if err != nil {
		panic(err)
	}
	return p
}

func (f *fakeFS) put(name, content string) {
	p := mustPath(name)
	f.files[p] = []byte(content)
	for d := p.Parent(); !d.IsRoot(); d = d.Parent() {
		f.dirs[d] = true
	}
}

func (f *fakeFS) content(name string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.files[mustPath(name)]
	return string(b), ok
}

// fault is the error that a segment of p names.
func fault(p Path) error {
	kinds := map[string]error{
		"changed": ErrChanged, "busy": ErrBusy, "quota": ErrQuota, "unavailable": ErrUnavailable,
		"denied": fs.ErrPermission, "unsupported": errors.ErrUnsupported,
		"secret": errors.New("bucket s3://hidden at 10.9.8.7: AccessDenied"),
	}
	for s := range strings.SplitSeq(p.String(), "/") {
		if s == "panic" {
			panic("fault of the file system")
		}
		if err := kinds[s]; err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeFS) entry(p Path) (Entry, error) {
	if err := fault(p); err != nil {
		return Entry{}, err
	}
	if f.dirs[p] {
		return Entry{Name: p.Base(), Dir: true, Perm: dirPerm, ModTime: fakeTime}, nil
	}
	b, ok := f.current(p)
	if !ok {
		return Entry{}, fs.ErrNotExist
	}
	e := Entry{Name: p.Base(), Size: int64(len(b)), Perm: filePerm, ModTime: fakeTime, Unique: "u" + p.String()}
	if t, ok := f.times[p]; ok {
		e.ModTime = t
	}
	return e, nil
}

func (f *fakeFS) Enter(_ context.Context, dir Path) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.entry(dir)
	if err == nil && !e.Dir {
		return ErrNotDir
	}
	return err
}

func (f *fakeFS) Stat(_ context.Context, p Path, o StatOptions) (Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.entry(p)
	if o.Complete && err == nil && !e.Dir {
		sum := md5.Sum(f.files[p])
		e.Sums = map[string][]byte{"MD5": sum[:]}
	}
	return e, err
}

func (f *fakeFS) List(_ context.Context, dir Path) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		entries, err := f.children(dir)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fakeFS) children(dir Path) ([]Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := fault(dir); err != nil {
		return nil, err
	}
	if !f.dirs[dir] {
		return nil, fs.ErrNotExist
	}
	var entries []Entry
	for p := range maps.Keys(f.files) {
		if p.Parent() == dir {
			e, _ := f.entry(p)
			entries = append(entries, e)
		}
	}
	for p := range maps.Keys(f.dirs) {
		if p.Parent() == dir && !p.IsRoot() {
			e, _ := f.entry(p)
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Name+"/", b.Name+"/") })
	return entries, nil
}

func (f *fakeFS) Retrieve(ctx context.Context, p Path, o RetrieveOptions) (*Download, error) {
	if f.retrieve != nil {
		if err := f.retrieve(ctx); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.entry(p)
	if err != nil {
		return nil, err
	}
	content, ok := f.files[p]
	switch {
	case e.Dir:
		return nil, ErrIsDir
	case !ok:
		return nil, fs.ErrNotExist
	case o.Offset > int64(len(content)):
		return nil, ErrRestart
	}
	e.Size = int64(len(content))
	content = content[o.Offset:]
	if o.Length > 0 {
		content = content[:min(o.Length, int64(len(content)))]
	}
	return &Download{Size: e.Size, ReadCloser: &fakeDownload{fs: f, rest: content}}, nil
}

type fakeDownload struct {
	fs   *fakeFS
	rest []byte
}

func (d *fakeDownload) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		return 0, cmp.Or(d.fs.readErr, io.EOF)
	}
	if d.fs.perRead > 0 {
		p = p[:min(d.fs.perRead, len(p))]
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

func (d *fakeDownload) Close() error { return nil }

func (f *fakeFS) Delete(_ context.Context, p Path) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, err := f.entry(p)
	if err == nil && e.Dir {
		err = ErrIsDir
	}
	if _, parked := f.parked[p]; err == nil && parked {
		delete(f.parked, p)
	} else if err == nil {
		delete(f.files, p)
	}
	return err
}

func (f *fakeFS) Mkdir(_ context.Context, p Path) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.entry(p)
	switch {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist) || !f.dirs[p.Parent()]:
		return err
	}
	f.dirs[p] = true
	return nil
}

func (f *fakeFS) Rmdir(_ context.Context, p Path) error {
	children, err := f.children(p)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.files[p] != nil:
		return ErrNotDir
	case err != nil:
		return err
	case len(children) > 0:
		return ErrNotEmpty
	}
	delete(f.dirs, p)
	return nil
}

func (f *fakeFS) Rename(_ context.Context, from Path) (func(context.Context, Path) error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.entry(from); err != nil {
		return nil, err
	}
	return func(_ context.Context, to Path) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if err := fault(to); err != nil {
			return err
		}
		if !f.dirs[to.Parent()] {
			return fs.ErrNotExist
		}
		f.files[to] = f.files[from]
		delete(f.files, from)
		return nil
	}, nil
}

func (f *fakeFS) SetTime(_ context.Context, p Path, t time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.entry(p); err != nil {
		return err
	}
	f.times[p] = t
	return nil
}

func (f *fakeFS) Space(_ context.Context, dir Path) (int64, error) {
	if dir.IsRoot() {
		return 0, errors.ErrUnsupported
	}
	return 12345, nil
}

// Quota is that of /in, and of /in/deep in it.
func (f *fakeFS) Quota(_ context.Context, dir Path) ([]Quota, error) {
	if err := fault(dir); err != nil {
		return nil, err
	}
	var all []Quota
	for _, q := range []Quota{
		{Dir: mustPath("/in/deep"), Bytes: 12, Files: 3, MaxFiles: 3},
		{Dir: mustPath("/in"), Bytes: 123, Files: 4, MaxBytes: 1000},
	} {
		if strings.HasPrefix(dir.String()+"/", q.Dir.String()+"/") {
			all = append(all, q)
		}
	}
	return all, nil
}
