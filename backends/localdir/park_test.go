package localdir

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/backends"
)

// large is what an upload needs to outlive its process.
var large = strings.Repeat("0123456789abcdef", recordFrom/16)

// parkedOf lists what is parked of a key.
func parkedOf(t testing.TB, s *Store, key string) []backends.Parked {
	t.Helper()
	var all []backends.Parked
	for p, err := range backends.ParkedUploads(t.Context(), s, backends.ParkedQuery{Prefix: key, Direct: true}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// onlyParked is the one upload that is parked of a key, which has so many octets.
func onlyParked(t testing.TB, s *Store, key string, size int) backends.Parked {
	t.Helper()
	all := parkedOf(t, s, key)
	if len(all) != 1 || all[0].Size != int64(size) || all[0].Key != key {
		t.Fatalf("parked of %q: %+v, want one of %d octets", key, all, size)
	}
	return all[0]
}

// resume goes on with p at its end and commits.
func resume(t testing.TB, s *Store, p backends.Parked, more string) {
	t.Helper()
	u := begin(t, s, p.Key, more, backends.CreateOptions{Resume: p.ID, At: p.Size})
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
}

func park(t testing.TB, u backends.Upload, want int) {
	t.Helper()
	if n, err := u.Park(); n != int64(want) || err != nil {
		t.Fatalf("parked %d octets, %v, want %d", n, err, want)
	}
}

func wantNothingPending(t testing.TB, dir string) {
	t.Helper()
	if left, err := pending(dir); len(left) > 0 || err != nil {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// crash opens the store in dir as after a start of the machine.
func crash(t testing.TB, dir string) *Store {
	t.Helper()
	s := reopen(t, dir)
	s.boot = "another"
	if err := s.removeOrphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// die ends an upload as the end of its process does: its file is closed, and no more.
func die(t testing.TB, u backends.Upload) {
	t.Helper()
	up := u.(*upload)
	up.over = true
	up.store.live.Delete(up.id)
	if err := up.file.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestS13_ParkedUploadSurvivesTheMachine(t *testing.T) {
	s, dir := newStore(t)
	park(t, begin(t, s, "d/k", "small", backends.CreateOptions{Metadata: map[string]string{backends.MetaModTime: "17"}}), 5)
	resume(t, crash(t, dir), onlyParked(t, crash(t, dir), "d/k", 5), " and whole")
	wantFile(t, filepath.Join(dir, "d", "k"), "small and whole")
	if obj, err := s.Stat(t.Context(), "d/k", backends.StatOptions{}); err != nil || obj.ModTime.Unix() != 17 {
		t.Errorf("its time is %v, %v", obj.ModTime, err)
	}
	wantNothingPending(t, dir)
}

func TestS13_UploadOfADeadProcessIsResumed(t *testing.T) {
	s, dir := newStore(t)
	die(t, begin(t, s, "d/k", large, backends.CreateOptions{}))
	other := reopen(t, dir)
	resume(t, other, onlyParked(t, other, "d/k", len(large)), "the end")
	wantFile(t, filepath.Join(dir, "d", "k"), large+"the end")
	wantNothingPending(t, dir)
}

// TestS17_OrphansGoAndParkedStay: what cannot be resumed is removed when the store is
// opened, and nothing else.
func TestS17_OrphansGoAndParkedStay(t *testing.T) {
	s, dir := newStore(t)
	die(t, begin(t, s, "small", "small", backends.CreateOptions{}))
	die(t, begin(t, s, "large", large, backends.CreateOptions{}))
	park(t, begin(t, s, "parked", "parked", backends.CreateOptions{}), 6)
	live := begin(t, s, "live", large, backends.CreateOptions{})
	write(t, filepath.Join(dir, own, strings.Repeat("A", 26)+draft), "{")
	other := reopen(t, dir)
	onlyParked(t, other, "large", len(large))
	onlyParked(t, other, "parked", 6)
	if left, err := pending(dir); len(left) != 6 || err != nil {
		t.Errorf("files: %q, %v, want two of each", left, err)
	}
	after := crash(t, dir)
	onlyParked(t, after, "parked", 6)
	if left, err := pending(dir); len(left) != 4 || err != nil {
		t.Errorf("after a crash: %q, %v, want those of the parked and the live one", left, err)
	}
	if _, err := live.Commit(); err != nil {
		t.Error(err)
	}
}

// TestS13_S17_ParkedWhileAnotherStarts: a gateway that starts while another one parks an
// upload does not take it for an orphan.
func TestS13_S17_ParkedWhileAnotherStarts(t *testing.T) {
	s, dir := newStore(t)
	u := begin(t, s, "k", "small", backends.CreateOptions{})
	other := reopen(t, dir)
	seen, err := other.leftovers()
	if err != nil || len(seen) != 1 {
		t.Fatalf("%v, %v", seen, err)
	}
	park(t, u, 5)
	if err := other.exclusively(t.Context(), func() error { return other.removeUnlocked(seen) }); err != nil {
		t.Error(err)
	}
	onlyParked(t, other, "k", 5)
}

// TestS17_FilesOfOthersStay also where only the gateway should write.
func TestS17_FilesOfOthersStay(t *testing.T) {
	_, dir := newStore(t)
	if err := os.MkdirAll(filepath.Join(dir, own, strings.Repeat("B", 26), "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("A", 26)
	theirs := []string{"some.thing", "README", id + ".bak"}
	for _, name := range theirs {
		write(t, filepath.Join(dir, own, name), "theirs")
	}
	write(t, filepath.Join(dir, own, id), "ours")
	reopen(t, dir)
	for _, name := range theirs {
		wantFile(t, filepath.Join(dir, own, name), "theirs")
	}
	if left, err := pending(dir); len(left) != len(theirs)+1 || err != nil {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestS13_CrashAfterAnEarlierCut: an upload that was parked, resumed at a smaller offset
// and then cut off by a crash of the machine is worth what was kept.
func TestS13_CrashAfterAnEarlierCut(t *testing.T) {
	s, dir := newStore(t)
	park(t, begin(t, s, "k", "abcdef", backends.CreateOptions{}), 6)
	p := onlyParked(t, s, "k", 6)
	die(t, begin(t, s, "k", "XYZ and what was not synced", backends.CreateOptions{Resume: p.ID, At: 3}))
	after := crash(t, dir)
	resume(t, after, onlyParked(t, after, "k", 3), "def")
	wantFile(t, filepath.Join(dir, "k"), "abcdef")
}

// TestS10_KilledBetweenItsTwoNames: an upload that has become an object is not resumed,
// which would write to the object.
func TestS10_KilledBetweenItsTwoNames(t *testing.T) {
	s, dir := newStore(t)
	u := begin(t, s, "k", large, backends.CreateOptions{})
	die(t, u)
	if err := os.Link(filepath.Join(dir, tempName(u.(*upload).id)), filepath.Join(dir, "k")); err != nil {
		t.Fatal(err)
	}
	if all := parkedOf(t, s, "k"); len(all) > 0 {
		t.Errorf("parked: %+v", all)
	}
	_, err := s.Create(t.Context(), "k", backends.CreateOptions{Resume: u.(*upload).id})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("resume: %v", err)
	}
	reopen(t, dir)
	wantFile(t, filepath.Join(dir, "k"), large)
	wantNothingPending(t, dir)
}

func TestS13_UploadThatIsBeingWrittenIsBusy(t *testing.T) {
	s, dir := newStore(t)
	u := begin(t, s, "k", large, backends.CreateOptions{})
	if all := parkedOf(t, s, "k"); len(all) > 0 {
		t.Errorf("this process tells of its own: %+v", all)
	}
	other := reopen(t, dir)
	p := onlyParked(t, other, "k", len(large))
	for _, at := range []*Store{s, other} {
		if _, err := at.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size}); !errors.Is(err, backends.ErrBusy) {
			t.Errorf("resume: %v", err)
		}
		if err := at.Discard(t.Context(), p); !errors.Is(err, backends.ErrBusy) {
			t.Errorf("discard: %v", err)
		}
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(dir, "k"), large)
	if err := other.Discard(t.Context(), p); err != nil {
		t.Errorf("discard of what has ended: %v", err)
	}
	wantNothingPending(t, dir)
}

// TestS17_ResumeThatGetsNothingMakesNothingNewer: or the janitor would never end it.
func TestS17_ResumeThatGetsNothingMakesNothingNewer(t *testing.T) {
	s, dir := newStore(t)
	park(t, begin(t, s, "k", "content", backends.CreateOptions{}), 7)
	p := onlyParked(t, s, "k", 7)
	old := time.Unix(1e9, 0)
	if err := os.Chtimes(filepath.Join(dir, tempName(p.ID)), old, old); err != nil {
		t.Fatal(err)
	}
	park(t, begin(t, s, "k", "", backends.CreateOptions{Resume: p.ID, At: 7}), 7)
	if p := onlyParked(t, s, "k", 7); !p.ModTime.Equal(old) {
		t.Errorf("its time is %v", p.ModTime)
	}
}

// TestRecordsThatCannotBeRead: a torn one is none; one of a later version is left alone.
func TestRecordsThatCannotBeRead(t *testing.T) {
	s, dir := newStore(t)
	for content, left := range map[string]int{
		"": 0, `{"version":1,"key":"k","syn`: 0, `{"version":1,"key":"other/k","synced":7}`: 0,
		`{"version":2,"key":["k"]}`: 2, `{"version":1,"key":"k","synced":7}`: 2,
	} {
		park(t, begin(t, s, "k", "content", backends.CreateOptions{}), 7)
		p := onlyParked(t, s, "k", 7)
		write(t, filepath.Join(dir, recordName(p.ID, "k")), content)
		other := reopen(t, dir)
		if names, err := pending(dir); len(names) != left || err != nil {
			t.Errorf("%s: left are %q, %v, want %d", content, names, err, left)
		}
		all := parkedOf(t, other, "k")
		if valid := strings.HasPrefix(content, `{"version":1,"key":"k","synced"`); valid != (len(all) == 1) {
			t.Errorf("%s: parked are %+v", content, all)
		}
		for _, name := range []string{tempName(p.ID), recordName(p.ID, "k")} {
			if err := s.forget(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestS12_ParkThatCannotBeDurable keeps what the record of before is good for.
func TestS12_ParkThatCannotBeDurable(t *testing.T) {
	s, dir := newStore(t)
	small, big := begin(t, s, "small", "small", backends.CreateOptions{}), begin(t, s, "big", large, backends.CreateOptions{})
	s.syncDir = func(*os.Root) error { return syscall.EIO }
	for _, u := range []backends.Upload{small, big} {
		if n, err := u.Park(); n != 0 || !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("parked %d octets, %v", n, err)
		}
	}
	if all := parkedOf(t, s, "small"); len(all) > 0 {
		t.Errorf("parked: %+v", all)
	}
	onlyParked(t, s, "big", len(large))
	crash(t, dir)
}

// TestCommitThatFailsForTheMomentIsParked: nobody has to send it again.
func TestCommitThatFailsForTheMomentIsParked(t *testing.T) {
	s, dir := newStore(t)
	meta := map[string]string{backends.MetaModTime: "17"}
	u := begin(t, s, "d/k", "content", backends.CreateOptions{Metadata: meta})
	s.syncDir = func(*os.Root) error { // the new directory's, once
		s.syncDir = syncDir
		return syscall.EIO
	}
	if _, err := u.Commit(); !errors.Is(err, backends.ErrUnavailable) {
		t.Fatal(err)
	}
	if n, err := u.Park(); n != 7 || err != nil {
		t.Fatalf("parked %d octets: %v", n, err)
	}
	p := onlyParked(t, s, "d/k", 7)
	if p.ModTime.Unix() == 17 {
		t.Error("it is as old as its client said, and the janitor's")
	}
	resume(t, s, p, "")
	if obj, err := s.Stat(t.Context(), "d/k", backends.StatOptions{}); err != nil || obj.ModTime.Unix() != 17 {
		t.Errorf("its time is %v, %v", obj.ModTime, err)
	}
	wantNothingPending(t, dir)
}

// BenchmarkLargeCommit shows what the record costs an upload that has one: see
// BenchmarkCommit for one that has none.
func BenchmarkLargeCommit(b *testing.B) {
	s, _ := newStore(b)
	content := bytes.Repeat([]byte("x"), 2<<20)
	for b.Loop() {
		u, err := s.Create(b.Context(), "in/camera/k", backends.CreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Write(content); err != nil {
			b.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}
