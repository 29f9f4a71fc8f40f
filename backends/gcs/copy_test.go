package gcs

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"testing"

	"causeway/backends"
)

// source is a store with one object "src".
func source(t *testing.T) (*fake, *Store, backends.Object) {
	f := newFake(t)
	s := testStore(t, f.URL, fakeBucket)
	obj, err := put(t, s, "src", random(1000), backends.CreateOptions{Metadata: map[string]string{"mtime": "1", "x": "y"}})
	if err != nil {
		t.Fatal(err)
	}
	f.take()
	return f, s, obj
}

func TestMoveIsOneAtomicRequest(t *testing.T) {
	f, s, obj := source(t)
	moved, _, err := backends.Move(t.Context(), s, "dst", "src", backends.CopyOptions{SourceIfMatch: obj.ETag, IfAbsent: true})
	if err != nil || moved.Key != "dst" || moved.Metadata["mtime"] != "1" {
		t.Errorf("got %+v, %v", moved, err)
	}
	if got := f.take(); !slices.Equal(got, []string{"move"}) {
		t.Errorf("requests %q", got)
	}
}

func TestMoveWithoutTheServersIsACopy(t *testing.T) {
	f, s, obj := source(t)
	f.noMove = true
	if _, err := s.Move(t.Context(), "dst", "src", backends.CopyOptions{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("move: %v", err)
	}
	f.take()
	if _, _, err := backends.Move(t.Context(), s, "dst", "src", backends.CopyOptions{SourceIfMatch: obj.ETag}); err != nil {
		t.Error(err)
	}
	if got := f.take(); !slices.Equal(got, []string{"move", "attrs", "rewrite", "delete"}) {
		t.Errorf("requests %q", got)
	}
	if f.objects["src"] != nil || f.objects["dst"] == nil {
		t.Errorf("objects %v", f.objects)
	}
}

func TestLostMove(t *testing.T) {
	f, s, _ := source(t)
	f.strike(fault{operation: "move", lose: true})
	if moved, err := s.Move(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); err != nil || moved.Key != "dst" {
		t.Errorf("onto a free name: %+v, %v", moved, err)
	}
	f.strike(fault{operation: "move", lose: true})
	if _, err := s.Move(t.Context(), "src", "dst", backends.CopyOptions{}); !errors.Is(err, backends.ErrUnavailable) || !errors.Is(err, errLostMove) {
		t.Errorf("onto any name: %v", err)
	}
}

func TestLostCopyAndDelete(t *testing.T) {
	f, s, obj := source(t)
	f.strike(fault{operation: "rewrite", lose: true}, fault{operation: "patch", lose: true}, fault{operation: "delete", lose: true})
	copied, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true})
	if err != nil || copied.ETag != f.objects["dst"].Generation {
		t.Errorf("copy: %+v, %v", copied, err)
	}
	changed, err := s.Copy(t.Context(), "src", "src", backends.CopyOptions{Metadata: map[string]string{"mtime": "2", "x": "y"}})
	if err != nil || changed.ETag != obj.ETag || changed.Metadata["mtime"] != "2" {
		t.Errorf("metadata: %+v, %v", changed, err)
	}
	if err := s.Delete(t.Context(), "src", backends.DeleteOptions{IfMatch: obj.ETag}); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func TestBigCopyTakesManyRequests(t *testing.T) {
	f, s, _ := source(t)
	f.rewriteMax = 300
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); err != nil {
		t.Fatal(err)
	}
	if got := f.take(); !slices.Equal(got, []string{"attrs", "rewrite", "rewrite", "rewrite", "rewrite"}) {
		t.Errorf("requests %q", got)
	}
}

// TestS24TimeIsSetInPlace: adding or changing metadata copies nothing and keeps the ETag;
// taking a key away needs a rewrite.
func TestS24TimeIsSetInPlace(t *testing.T) {
	f, s, obj := source(t)
	tests := []struct {
		metadata map[string]string
		request  string
		sameETag bool
	}{
		{map[string]string{"mtime": "2", "x": "y"}, "patch", true},
		{map[string]string{"mtime": "3", "x": "y", "new": "z"}, "patch", true},
		{map[string]string{"mtime": "4"}, "rewrite", false},
	}
	for _, test := range tests {
		got, err := s.Copy(t.Context(), "src", "src", backends.CopyOptions{Metadata: test.metadata})
		if err != nil {
			t.Fatal(err)
		}
		if r := f.take(); !slices.Equal(r, []string{"attrs", test.request}) || (got.ETag == obj.ETag) != test.sameETag {
			t.Errorf("%v: requests %q, ETag %s after %s", test.metadata, r, got.ETag, obj.ETag)
		}
		if len(got.Metadata) != len(test.metadata) {
			t.Errorf("metadata %v, want %v", got.Metadata, test.metadata)
		}
	}
}

// TestCopyTellsWhichConditionFailed: the service's answer does not.
func TestCopyTellsWhichConditionFailed(t *testing.T) {
	f, s, _ := source(t)
	f.strike(fault{operation: "rewrite", status: http.StatusPreconditionFailed, reason: "conditionNotMet"}) // the source was replaced meanwhile
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("source: %v", err)
	}
	if _, err := put(t, s, "dst", nil, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("destination: %v", err)
	}
}
