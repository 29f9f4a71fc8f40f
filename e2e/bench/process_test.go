package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"causeway/e2e/bench/pattern"
)

// TestMain lets the tests' binary be the parts that Env starts.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 {
		if part, ok := parts()[os.Args[1]]; ok {
			if err := part(context.Background(), []byte(os.Args[2])); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

// parent is an Env without a gateway.
func parent(t *testing.T) *Env {
	if runtime.GOOS != "linux" {
		t.Fatal("processes are measured by what Linux tells of them")
	}
	e := &Env{Dir: t.TempDir(), Content: pattern.New()}
	t.Cleanup(e.close)
	return e
}

func TestDirectWorkIsMeasured(t *testing.T) {
	e := parent(t)
	s, err := e.Store(t.Context(), StoreOptions{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	const size = 3*partSize + 5
	for _, job := range []DirectJob{
		{Op: "put", Prefix: "a/", Count: 2, Size: size, Concurrency: 2},
		{Op: "get", Prefix: "a/", Count: 2, Size: size, Concurrency: 2},
		{Op: "head", Prefix: "a/", Count: 2},
		{Op: "put", Prefix: "b/", Count: 1, Size: 7},
	} {
		u, err := e.Direct(t.Context(), s, job)
		if err != nil {
			t.Fatal(err)
		}
		if u.CPU <= 0 || u.Wall <= 0 || u.Peak <= 0 || job.Op == "get" && (len(u.First) != 2 || u.First[0] <= 0) {
			t.Errorf("%s: %+v", job.Op, u)
		}
	}
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"CreateMultipartUpload": 2, "UploadPart": 8, "CompleteMultipartUpload": 2, "GetObject": 2, "HeadObject": 2, "PutObject": 1}
	if fmt.Sprint(stats.Requests) != fmt.Sprint(want) || stats.BytesIn != 2*size+7 || stats.BytesOut != 2*size || stats.Refused != 0 {
		t.Errorf("the store counts %+v", stats)
	}
	if u, err := e.Direct(t.Context(), s, DirectJob{Op: "list", Prefix: "names-2500/"}); err != nil || u.Count != 2500 {
		t.Errorf("%d names listed: %v", u.Count, err)
	}
	if _, err := e.Direct(t.Context(), s, DirectJob{Op: "get", Prefix: "none/", Count: 1}); err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("an object that is not there: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestSocketsMove(t *testing.T) {
	e := parent(t)
	s, err := e.Sockets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Direction{Up, Down} {
		if u, err := s.Move(t.Context(), d, 3, 1<<20+1, 2); err != nil || u.CPU <= 0 {
			t.Errorf("direction %d: %+v, %v", d, u, err)
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestPeakBeginsAnew(t *testing.T) {
	e := parent(t)
	s, err := e.Sockets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ResetPeak(); err != nil {
		t.Fatal(err)
	}
	rss, err := s.RSS()
	if err != nil {
		t.Fatal(err)
	}
	pss, err := s.PSS()
	if err != nil {
		t.Fatal(err)
	}
	peak, err := s.Peak() // after what it is compared with
	if err != nil || pss <= 0 || rss <= 0 || rss > peak || pss > peak || peak > 1<<30 {
		t.Errorf("PSS %d, RSS %d, peak %d: %v", pss, rss, peak, err)
	}
}

func TestPartsThatCannotStartSayWhy(t *testing.T) {
	e := parent(t)
	var ready struct{}
	_, err := e.role(t.Context(), "store", "no options", &ready)
	if err == nil || !strings.Contains(err.Error(), "cannot unmarshal") {
		t.Errorf("got %v", err)
	}
}

// TestCasesLeaveNothing: neither a process nor a file outlives a case.
func TestCasesLeaveNothing(t *testing.T) {
	e := parent(t)
	e.Rounds = 3
	var left *Sockets
	var dir string
	rows, err := e.alone(t.Context(), Case{Name: "x", Run: func(ctx context.Context, own *Env) ([]Row, error) {
		dir = own.Dir
		var err error
		left, err = own.Sockets(ctx)
		return make([]Row, own.Rounds), err
	}})
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	select {
	case <-left.exited:
	default:
		t.Error("its process runs on")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) || dir == e.Dir {
		t.Errorf("its folder %s: %v", dir, err)
	}
}
