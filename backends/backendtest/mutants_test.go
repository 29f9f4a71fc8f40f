package backendtest_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
)

// mutant is a store with one fault, and the case that must find it.
type mutant struct {
	store   func() backends.Backend
	finding string
}

func mutants() map[string]mutant {
	return map[string]mutant{
		"CommitsOnAbort":    {func() backends.Backend { return commitsOnAbort{base()} }, "Abort/LeavesNothing"},
		"KeepsP":            {func() backends.Backend { return keepsP{base()} }, "Upload/KeepsNothingOfP"},
		"IgnoresIfAbsent":   {func() backends.Backend { return ignoresIfAbsent{base()} }, "Race/IfAbsent"},
		"ChecksTooEarly":    {func() backends.Backend { return checksTooEarly{base()} }, "Condition/Meanwhile"},
		"ForgetsTheOffset":  {func() backends.Backend { return forgetsTheOffset{base()} }, "Open/Ranges"},
		"MixesVersions":     {func() backends.Backend { return mixesVersions{base()} }, "Open/ReplacedMeanwhile"},
		"PagesByNumber":     {func() backends.Backend { return pagesByNumber{base()} }, "List/Shifts"},
		"ListsFromMemory":   {func() backends.Backend { return &listsFromMemory{verbsOnly: base()} }, "List/FreshAfterPages"},
		"UnescapesKeys":     {func() backends.Backend { return unescapesKeys{base()} }, "Keys/Awkward"},
		"ListsLikePrefixes": {func() backends.Backend { return siblings{base()} }, "List/Prefix"},
	}
}

func base() verbsOnly { return verbsOnly{mem.New(mem.Options{})} }

// TestSuiteFindsMutants runs the suite on each of them in a process of its own, since it
// has to fail there.
func TestSuiteFindsMutants(t *testing.T) {
	if name := mutantOfThisProcess(); name != "" {
		m := mutants()[name]
		backendtest.Run(t, func(*testing.T) backends.Backend { return m.store() }, backendtest.Features{NoParking: true})
		return
	}
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) { wantFound(t, "TestSuiteFindsMutants", name, m.finding) })
	}
}

// mutantOfThisProcess is the mutant that the process was started for, if any.
func mutantOfThisProcess() string { return os.Getenv("BACKENDTEST_MUTANT") }

// wantFound runs a case on a mutant in a process of its own.
func wantFound(t *testing.T, test, mutant, finding string) {
	t.Helper()
	run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$/^"+strings.ReplaceAll(finding, "/", "$/^")+"$")
	run.Env = append(os.Environ(), "BACKENDTEST_MUTANT="+mutant)
	out, err := run.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), "--- FAIL: "+test+"/"+finding) || strings.Contains(string(out), "panic:") {
		t.Errorf("%s did not find it: %v\n%s", finding, err, out)
	}
}

// changedUpload is an upload with some of its methods replaced.
type changedUpload struct {
	backends.Upload
	write  func(p []byte) (int, error)
	commit func() (backends.Object, error)
	park   func() (int64, error)
	abort  func() error

	written int64
}

func (u *changedUpload) Write(p []byte) (int, error) {
	write := u.Upload.Write
	if u.write != nil {
		write = u.write
	}
	n, err := write(p)
	u.written += int64(n)
	return n, err
}

func (u *changedUpload) Commit() (backends.Object, error) {
	if u.commit != nil {
		return u.commit()
	}
	return u.Upload.Commit()
}

func (u *changedUpload) Park() (int64, error) {
	if u.park != nil {
		return u.park()
	}
	return u.Upload.Park()
}

func (u *changedUpload) Abort() error {
	if u.abort != nil {
		return u.abort()
	}
	return u.Upload.Abort()
}

// commitsOnAbort publishes what there is when an upload ends, as stores do whose Close
// commits.
type commitsOnAbort struct{ verbsOnly }

func (m commitsOnAbort) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := m.next.Create(context.WithoutCancel(ctx), key, o)
	if err != nil {
		return nil, err
	}
	return &changedUpload{Upload: u, abort: func() error { _, _ = u.Commit(); return nil }}, nil
}

// keepsP writes each piece when the next one comes.
type keepsP struct{ verbsOnly }

func (m keepsP) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := m.next.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	var kept []byte
	return &changedUpload{Upload: u, write: func(p []byte) (int, error) {
		_, err := u.Write(kept)
		kept = p
		return len(p), err
	}}, nil
}

type ignoresIfAbsent struct{ verbsOnly }

func (m ignoresIfAbsent) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	o.IfAbsent = false
	return m.next.Create(ctx, key, o)
}

// checksTooEarly looks at conditions when an upload begins.
type checksTooEarly struct{ verbsOnly }

func (m checksTooEarly) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	_, err := m.next.Stat(ctx, key, backends.StatOptions{})
	if o.IfAbsent && err == nil {
		return nil, &backends.Error{Op: "create", Key: key, Kind: os.ErrExist}
	}
	o.IfAbsent = false
	return m.next.Create(ctx, key, o)
}

type forgetsTheOffset struct{ verbsOnly }

func (m forgetsTheOffset) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.Offset = 0
	return m.next.Open(ctx, key, o)
}

// mixesVersions reads each piece from the version of the moment.
type mixesVersions struct{ verbsOnly }

func (m mixesVersions) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	r, err := m.next.Open(ctx, key, o)
	if err != nil {
		return nil, err
	}
	at := o.Offset
	r.ReadCloser = io.NopCloser(readerFunc(func(p []byte) (int, error) {
		now, err := m.next.Open(ctx, key, backends.OpenOptions{Offset: at})
		if err != nil {
			return 0, err
		}
		n, err := now.Read(p)
		at += int64(n)
		return n, err
	}))
	return r, nil
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// pagesByNumber takes the count of entries for a token.
type pagesByNumber struct{ verbsOnly }

func (m pagesByNumber) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	skip, limit := len(q.Token), q.Limit
	q.Token, q.Limit = "", 0
	page, err := m.next.List(ctx, q)
	if err != nil || limit == 0 {
		return page, err
	}
	page.Objects = page.Objects[min(skip, len(page.Objects)):]
	if len(page.Objects) > limit {
		page.Objects, page.Next = page.Objects[:limit], strings.Repeat(".", skip+limit)
	}
	return page, nil
}

// listsFromMemory answers a query again with the page that it has once had.
type listsFromMemory struct {
	verbsOnly
	pages sync.Map
}

func (m *listsFromMemory) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	if page, ok := m.pages.Load(q); ok {
		return page.(backends.Page), nil
	}
	page, err := m.next.List(ctx, q)
	if err == nil {
		m.pages.Store(q, page)
	}
	return page, err
}

// unescapesKeys takes keys for parts of a URL.
type unescapesKeys struct{ verbsOnly }

func (m unescapesKeys) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return m.next.Create(ctx, strings.ReplaceAll(key, "%41", "A"), o)
}

// siblings forgets the slash at the end of a prefix.
type siblings struct{ verbsOnly }

func (m siblings) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	q.Prefix = strings.TrimSuffix(q.Prefix, "/")
	return m.next.List(ctx, q)
}
