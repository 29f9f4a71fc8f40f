package gcs

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/journal"
)

// orphaned stores the parts of an upload that no record tells of, as a part is that landed
// when its upload had ended. It returns their names.
func orphaned(t *testing.T, f *fake, folder string) []string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for _, file := range []string{"AAAA-0-00001", "AAAA-0-00002", "BBBB-1-00001"} {
		names = append(names, f.put(partsPrefix+folder+"/"+file, fakeObject{}, []byte("part")).Name)
	}
	return names
}

// sweepHourOld sweeps what is older than an hour, and wants so many objects to go.
func sweepHourOld(t *testing.T, s *Store, want int) {
	t.Helper()
	if n, err := s.Sweep(t.Context(), time.Now().Add(-time.Hour)); err != nil || n != want {
		t.Errorf("swept %d objects, %v; want %d", n, err, want)
	}
}

// TestS17_PartsWithoutARecordAreSwept, but only what no attempt at an upload can want, and
// nothing that is no part.
func TestS17_PartsWithoutARecordAreSwept(t *testing.T) {
	f, s, other := twoStores(t)
	content := random(3*testPart + 1)
	p := park(t, s, begin(t, s, "k", content, backends.CreateOptions{}))
	writing := begin(t, other, "writing", content, backends.CreateOptions{})
	kept := []string{partsPrefix + "note", partsPrefix + "lower/AAAA-0-00001", partsPrefix + "AAAA/note", "k"}
	f.mu.Lock()
	for _, name := range kept {
		f.put(name, fakeObject{}, []byte("not a part"))
	}
	f.mu.Unlock()
	orphaned(t, f, "ORPHAN")
	f.age("", 2*time.Hour)
	young := orphaned(t, f, "YOUNG")
	f.age(young[0], 2*time.Hour)

	sweepHourOld(t, s, 3)
	if left := f.names(partsPrefix + "ORPHAN"); len(left) > 0 {
		t.Errorf("left are %q", left)
	}
	sweepHourOld(t, s, 0)
	if _, err := writing.Commit(); err != nil {
		t.Errorf("an upload that was being written: %v", err)
	}
	if _, err := put(t, s, "k", nil, backends.CreateOptions{Resume: p.ID, At: p.Size}); err != nil || !bytes.Equal(f.content("k"), content) {
		t.Errorf("an upload that was parked: %v", err)
	}
	f.age("", 2*time.Hour)
	sweepHourOld(t, s, 3)
	slices.Sort(kept)
	wantObjects(t, f, append(kept, "writing")...)
}

// TestS17_SweepCosts a request where nothing is old.
func TestS17_SweepCosts(t *testing.T) {
	f, s, _ := twoStores(t)
	park(t, s, begin(t, s, "k", random(3*testPart+1), backends.CreateOptions{}))
	f.take()
	sweepHourOld(t, s, 0)
	if asked := strings.Join(f.take(), " "); asked != "list" {
		t.Errorf("asked %q, want one list", asked)
	}
}

// TestS17_SweepSparesWhatItCannotRead: a record of a later version may be of any upload.
func TestS17_SweepSparesWhatItCannotRead(t *testing.T) {
	f, s, _ := twoStores(t)
	park(t, s, begin(t, s, "k", random(3*testPart+1), backends.CreateOptions{}))
	orphaned(t, f, "ORPHAN")
	record := f.names(".causeway/uploads/")[0]
	f.mu.Lock()
	f.put(record, fakeObject{}, []byte(`{"version":2}`+"\n"))
	f.mu.Unlock()
	f.age("", 2*time.Hour)
	sweepHourOld(t, s, 0)
	f.faults = []fault{{operation: "get", status: http.StatusForbidden, reason: "AccessDenied"}}
	if n, err := s.Sweep(t.Context(), time.Now()); n != 0 || err == nil {
		t.Errorf("swept %d objects, %v, without having read the record", n, err)
	}
}

// TestS17_SweepEndsWhatCannotGoOn: the first part of a killed gateway's is missing, and one
// after it has landed.
func TestS17_SweepEndsWhatCannotGoOn(t *testing.T) {
	f, s, other := twoStores(t)
	p := park(t, other, begin(t, other, "k", random(3*testPart+1), backends.CreateOptions{}))
	first := f.names(partsPrefix)[0]
	f.mu.Lock()
	open := p.ID[:strings.LastIndex(p.ID, "~")] + "~open" // as it was called before
	f.put(open, fakeObject{}, f.objects[p.ID].content)
	delete(f.objects, p.ID)
	delete(f.objects, first)
	f.mu.Unlock()
	sweepHourOld(t, s, 0)
	f.age("", 2*time.Hour)
	sweepHourOld(t, s, 3)
	wantObjects(t, f)
}

// TestS17_SweepSparesWhatIsParkedMeanwhile: its record is replaced by one that the listing
// has passed.
func TestS17_SweepSparesWhatIsParkedMeanwhile(t *testing.T) {
	f, s, other := twoStores(t)
	p := park(t, s, begin(t, s, "k", random(3*testPart+1), backends.CreateOptions{}))
	owner := begin(t, other, "k", nil, backends.CreateOptions{Resume: p.ID, At: p.Size})
	f.age("", 2*time.Hour)
	s.journal = journal.New(&interrupted{s, func() {
		if _, err := owner.Park(); err != nil {
			t.Error(err)
		}
	}})
	sweepHourOld(t, s, 0)
	if all := parked(t, other); len(all) != 1 || all[0].Size != p.Size {
		t.Errorf("parked: %+v", all)
	}
}

// TestS17_SweepTellsWhy it could not.
func TestS17_SweepTellsWhy(t *testing.T) {
	f, s, _ := twoStores(t)
	orphaned(t, f, "ORPHAN")
	f.age("", 2*time.Hour)
	for _, operation := range []string{"list", "delete"} {
		f.faults = []fault{{operation: operation, status: http.StatusForbidden, reason: "forbidden"}}
		if _, err := s.Sweep(t.Context(), time.Now()); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", operation, err)
		}
	}
	sweepHourOld(t, s, len(f.names(partsPrefix)))
	wantObjects(t, f)
}

// TestS17_SweepSparesUploadsWithoutARecord: one that can have none may be another gateway's,
// whose client is slow. Only what has rested for as long as no client does is nobody's.
func TestS17_SweepSparesUploadsWithoutARecord(t *testing.T) {
	f, s, other := twoStores(t)
	key := strings.Repeat("k", 1000)
	content := random(20*testPart + 1)
	slow := begin(t, other, key, content, backends.CreateOptions{})
	if records := f.names(".causeway/uploads/"); len(records) > 0 {
		t.Fatalf("there is a record: %q", records)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("swept %d parts of an upload that goes on, %v", n, err)
	}
	if _, err := slow.Commit(); err != nil || !bytes.Equal(f.content(key), content) {
		t.Errorf("the upload: %v", err)
	}
	orphaned(t, f, unrecorded+"ORPHAN")
	f.age("", unrecordedTime-time.Hour)
	sweepHourOld(t, s, 0)
	f.age("", unrecordedTime+time.Hour)
	sweepHourOld(t, s, 3)
	wantObjects(t, f, key)
}
