package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/e2e/bench/wan"
)

func TestOctets(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1000: "1000 B", 4 << 10: "4 KiB", 1536 << 10: "1536 KiB", 20 << 20: "20 MiB", 100 << 30: "100 GiB", 5 << 40: "5 TiB",
	} {
		if got := octets(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

// TestWhoFailedIsTold: a load of which not all succeeded tells how many did, and why one
// did not.
func TestWhoFailedIsTold(t *testing.T) {
	n, note := succeeded([]error{nil, errors.New("first"), nil, errors.New("second")})
	if n != 2 || note != "first" {
		t.Errorf("%d, %q", n, note)
	}
	if n, note = succeeded(make([]error, 3)); n != 3 || note != "" {
		t.Errorf("%d, %q", n, note)
	}
}

// TestGrowthRow reads what go test prints.
func TestGrowthRow(t *testing.T) {
	row, err := growthRow(strings.Fields("buffers=32MiB-2 1 37556 ns/op 5120 MiB/last 8140 parts"))
	if err != nil || !slices.Equal(row.Rounds, []float64{8140}) || !row.Met() ||
		row.Work != "object of 5 TiB, buffers 32MiB" || !strings.Contains(row.Note, "5120 MiB") {
		t.Errorf("%+v, %v", row, err)
	}
	for _, line := range []string{"buffers=32MiB-2", "buffers=32MiB-2 1 37556 ns/op", "buffers=32MiB-2 1 many parts"} {
		if row, err := growthRow(strings.Fields(line)); err == nil {
			t.Errorf("%q is %+v", line, row)
		}
	}
}

// TestLoadsAreNamed: what a quick run has left out shows in the name of its work.
func TestLoadsAreNamed(t *testing.T) {
	l := slowLoad{uploads: 250, size: 1 << 20, rate: 128 << 10, buffers: 32, spool: true}
	if got, want := l.String(), "250 slow STOR of 1 MiB at 128 KiB/s, buffers 32 MiB and spool"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for size, want := range map[int64]string{100 << 30: "of 8 MiB they would be 12800", 4 << 30: "quick: too small to need the spool"} {
		if got := (largeUpload{size: size, buffers: 32}).partsNote(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestAFarStoreIsTheSameStore: what is put over the line is in the store behind it, and is
// counted there.
func TestAFarStoreIsTheSameStore(t *testing.T) {
	e := parent(t)
	near, err := e.Store(t.Context(), StoreOptions{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	far, err := e.Far(t.Context(), near, wan.Line{Rate: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Direct(t.Context(), far, DirectJob{Op: "put", Prefix: "a/", Count: 1, Size: partSize + 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Direct(t.Context(), near, DirectJob{Op: "get", Prefix: "a/", Count: 1, Size: partSize + 1}); err != nil {
		t.Error(err)
	}
	stats, err := far.Stats(t.Context())
	if err != nil || stats.Requests["UploadPart"] != 2 || stats.Requests["GetObject"] != 1 || stats.Refused != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	for _, s := range []*Store{far, near} {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestOctetsMustHaveArrived: a client that was told of more than has come to the store is a
// case that fails, whatever it was answered.
func TestOctetsMustHaveArrived(t *testing.T) {
	e := parent(t)
	s, err := e.Store(t.Context(), StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Direct(t.Context(), s, DirectJob{Op: "put", Prefix: "a/", Count: 2, Size: partSize + 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.arrived(t.Context(), 2*(partSize+1)); err != nil {
		t.Error(err)
	}
	if err := s.arrived(t.Context(), 2*(partSize+1)+1); err == nil {
		t.Error("one octet that never came is taken for stored")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

// TestSpooledOctetsAreSeen, in files without a name.
func TestSpooledOctetsAreSeen(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{cmd: &exec.Cmd{Process: self}}
	dir := t.TempDir()
	for i := range 2 {
		f, err := os.Create(filepath.Join(dir, "part"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := errors.Join(f.Truncate(1000), os.Remove(f.Name())); err != nil {
			t.Fatal(err)
		}
		if n, err := p.held(dir); n != 1000*int64(i+1) || err != nil {
			t.Errorf("%d octets, %v", n, err)
		}
	}
	if n, err := p.held(t.TempDir()); n != 0 || err != nil {
		t.Errorf("in another folder %d octets, %v", n, err)
	}
	large := largeUpload{size: 100 << 30, buffers: 32}
	for most, met := range map[int64]bool{0: false, 8<<20 - 1: false, 16 << 20: true} {
		if r := large.spoolRow("", most); r.Met() != met {
			t.Errorf("%d octets in the spool: met: %t", most, r.Met())
		}
	}
	if r := (largeUpload{size: 4 << 30, buffers: 32}).spoolRow("", 0); r.Target != nil {
		t.Errorf("%+v for a file that needs no spool", r)
	}
}
