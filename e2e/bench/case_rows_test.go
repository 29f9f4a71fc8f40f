package main

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"
)

// value is the median of the row of that figure.
func value(t *testing.T, rows []Row, figure string) (Row, float64) {
	t.Helper()
	for _, r := range rows {
		if r.Figure == figure {
			return r, r.Median()
		}
	}
	t.Fatalf("no %q in %+v", figure, rows)
	return Row{}, 0
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9*max(1, math.Abs(b)) }

func TestFiguresOfSmallFiles(t *testing.T) {
	rounds := []smallRound{{
		direct:   Usage{Wall: 4 * time.Second, CPU: 2 * time.Second},
		gateway:  Usage{Wall: 5 * time.Second, CPU: 3 * time.Second},
		requests: 2000,
	}}
	s := &smallSetup{store: &Store{control: "http://store"}, files: 2000}
	rows := s.rows(s.work("STOR"), rounds)
	for figure, want := range map[string]float64{
		"files/s / direct's": 0.8, "requests per file": 1, "gateway files/s": 400, "direct files/s": 500,
		"gateway CPU per file": 1500, "direct CPU per file": 1000,
	} {
		if r, got := value(t, rows, figure); !near(got, want) || !r.Met() {
			t.Errorf("%s: %v, want %v, met: %t", figure, got, want, r.Met())
		}
	}
	rounds[0].requests, rounds[0].gateway.Wall = 2001, 6*time.Second
	for _, figure := range []string{"files/s / direct's", "requests per file"} {
		if r, got := value(t, s.rows("", rounds), figure); r.Met() {
			t.Errorf("%s of %v is taken for good", figure, got)
		}
	}
	s.store.control = "" // a store that does not count
	if n := len(s.rows("", rounds)); n != len(rows)-1 {
		t.Errorf("%d figures", n)
	}
}

func TestFiguresOfListings(t *testing.T) {
	rounds := []listRound{{
		direct:  Usage{Wall: 10 * time.Second, CPU: 8 * time.Second},
		gateway: Usage{Wall: 11 * time.Second, CPU: 4 * time.Second},
		grown:   16 << 20, writes: 1,
	}}
	rows := listing{names: largeList}.rows("LIST", rounds)
	for figure, want := range map[string]float64{
		"time / direct's": 1.1, "RSS grown by": 16, "gateway CPU per name": 4, "direct CPU per name": 8, "writes per 32 KiB": 1,
	} {
		if r, got := value(t, rows, figure); !near(got, want) || !r.Met() {
			t.Errorf("%s: %v, want %v, met: %t", figure, got, want, r.Met())
		}
	}
	rounds[0].gateway.Wall, rounds[0].grown, rounds[0].writes = 12*time.Second, 17<<20, 1.1
	for _, figure := range []string{"time / direct's", "RSS grown by", "writes per 32 KiB"} {
		if r, got := value(t, listing{names: largeList}.rows("LIST", rounds), figure); r.Met() {
			t.Errorf("%s of %v is taken for good", figure, got)
		}
	}
}

func TestFiguresOfLogins(t *testing.T) {
	rounds := []loginRound{{
		hash:    Usage{Wall: 2 * time.Second, CPU: loginCount * 20 * time.Millisecond},
		gateway: Usage{Wall: 4 * time.Second, CPU: loginCount * 25 * time.Millisecond},
	}}
	rows := loginRows(rounds)
	for figure, want := range map[string]float64{
		"new store connections": 0, "gateway CPU / (1.15 hash's + 2 ms)": 1, "gateway CPU per login": 25, "hash CPU": 20,
		"logins/s": 50, "hashes/s alone": 100,
	} {
		if r, got := value(t, rows, figure); !near(got, want) || !r.Met() {
			t.Errorf("%s: %v, want %v, met: %t", figure, got, want, r.Met())
		}
	}
	rounds[0].connections, rounds[0].gateway.CPU = 1, loginCount*26*time.Millisecond
	for _, figure := range []string{"new store connections", "gateway CPU / (1.15 hash's + 2 ms)"} {
		if r, got := value(t, loginRows(rounds), figure); r.Met() {
			t.Errorf("%s of %v is taken for good", figure, got)
		}
	}
}

// TestCountersOfProcesses reads the kernel's counters, of this process.
func TestCountersOfProcesses(t *testing.T) {
	before, err := writesOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for range 10 {
		if _, err := null.WriteString("x"); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := writesOf(os.Getpid()); err != nil || after < before+10 {
		t.Errorf("%d writes, then %d: %v", before, after, err)
	}
	if _, err := writesOf(-1); err == nil || !strings.Contains(err.Error(), "/proc/-1/io") {
		t.Errorf("of no process: %v", err)
	}
}
