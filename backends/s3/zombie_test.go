package s3

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"causeway/backends"
)

// crashed is an upload of k whose writer has died with so many octets stored, and the store
// of another process that has found it.
func crashed(t *testing.T, s *Store, size int) (backends.Upload, *Store, backends.Parked) {
	t.Helper()
	s.limits.InFlight = 1
	u := opened(t, s, size+1, backends.CreateOptions{})
	other := reopened(t, s).(*Store)
	for {
		if p := onlyParked(t, other); p.Size == int64(size) {
			return u, other, p
		}
	}
}

// numbers are those of the parts sent so far, in order.
func (f *fake) numbers() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var numbers []int
	for _, r := range f.requests {
		if n, err := strconv.Atoi(r.URL.Query().Get("partNumber")); err == nil && r.Method == http.MethodPut {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// TestS13_NumbersOfAttemptsDoNotMeet: however many parts the writer before sends until it
// learns that the upload is another's, none has the number of a later part.
func TestS13_NumbersOfAttemptsDoNotMeet(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	zombie, other, p := crashed(t, s, 2*fakePartSize)
	// It sends parts until after those before were listed by who takes the upload.
	var once sync.Once
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "~open") {
			once.Do(func() { zombie.Write(make([]byte, 70*fakePartSize)) })
		}
		return false
	}
	u, err := other.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size})
	if err != nil {
		t.Fatal(err)
	}
	_, err = zombie.Write(make([]byte, 100*fakePartSize))
	if !errors.Is(err, backends.ErrChanged) {
		t.Errorf("write of a lost upload: %v", err)
	}
	if _, err := zombie.Park(); !errors.Is(err, backends.ErrChanged) {
		t.Errorf("park of a lost upload: %v", err)
	}
	theirs := f.numbers()
	f.asked()
	if _, err := u.Write(bytes.Repeat([]byte("y"), 5*fakePartSize)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	mine := f.numbers()
	if last := theirs[len(theirs)-1]; mine[0] <= last {
		t.Errorf("parts %v after %v", mine, theirs)
	}
	want := append(bytes.Repeat([]byte("x"), 2*fakePartSize), bytes.Repeat([]byte("y"), 5*fakePartSize)...)
	if !bytes.Equal(f.objects["k"].content, want) || len(f.uploads) != 0 || len(f.objects) != 1 {
		t.Errorf("%d octets; left behind %v, %v", len(f.objects["k"].content), f.uploads, f.objects)
	}
}

// TestS10_AnothersCommitIsNotOurs: two attempts at one upload leave the same mark, so the
// mark does not prove that an object is the writer's own.
func TestS10_AnothersCommitIsNotOurs(t *testing.T) {
	for _, first := range []string{"dead", "taker"} {
		f := &fake{}
		s := serve(t, f)
		zombie, other, p := crashed(t, s, 2*fakePartSize)
		taker, err := other.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size})
		if err != nil {
			t.Fatal(err)
		}
		taker.Write([]byte("y")) // as many octets as the other, and others
		winner, loser := zombie, taker
		if first == "taker" {
			winner, loser = taker, zombie
		}
		var met atomic.Bool
		var content []byte
		f.before = func(_ http.ResponseWriter, r *http.Request) bool {
			// Between the last part of the one and its request to complete.
			if r.Method == http.MethodPost && !met.Swap(true) {
				if _, err := winner.Commit(); err != nil {
					t.Errorf("first %s: %v", first, err)
				}
				content = f.objects["k"].content
			}
			return false
		}
		if _, err := loser.Commit(); err == nil {
			t.Errorf("first %s: the other was told that it has committed", first)
		}
		if n, _ := loser.Park(); n != 0 {
			t.Errorf("first %s: parked %d octets", first, n)
		}
		if !bytes.Equal(f.objects["k"].content, content) || len(f.uploads) != 0 || len(f.objects) != 1 {
			t.Errorf("first %s: left behind %v, %v", first, f.uploads, f.objects)
		}
	}
}

// TestS10_LostAnswerOfAResumedUpload: it is found to have committed, by what the object is.
func TestS10_LostAnswerOfAResumedUpload(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	_, other, p := crashed(t, s, 2*fakePartSize)
	f.after = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	if obj, err := upload(t, other, "k", 7, backends.CreateOptions{Resume: p.ID, At: p.Size}); err != nil || obj.Size != 2*fakePartSize+7 {
		t.Errorf("%+v, %v", obj, err)
	}
	if len(f.uploads) != 0 || len(f.objects) != 1 {
		t.Errorf("left behind %v, %v", f.uploads, f.objects)
	}
}

// TestS13_TailSurvivesACrashAfterResume: what was durable once is so until it is an object.
func TestS13_TailSurvivesACrashAfterResume(t *testing.T) {
	for _, size := range []int{10, 2*fakePartSize + 10} {
		f := &fake{}
		s := serve(t, f)
		p := parkedUpload(t, s, size)
		for range 3 {
			if _, err := s.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size}); err != nil {
				t.Fatal(err)
			}
			s = reopened(t, s).(*Store) // and the one before is dead
			if p = onlyParked(t, s); p.Size != int64(size) {
				t.Fatalf("%+v", p)
			}
		}
		// Dead when it has begun an upload in parts, and has sent none.
		refused := make(chan struct{})
		f.before = func(w http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("partNumber") {
				return false
			}
			refuse(w, http.StatusForbidden, "AccessDenied")
			close(refused)
			return true
		}
		opened(t, s, fakePartSize, backends.CreateOptions{Resume: p.ID, At: p.Size})
		<-refused
		s, f.before = reopened(t, s).(*Store), nil
		if p = onlyParked(t, s); p.Size != int64(size) {
			t.Fatalf("%+v", p)
		}
		// Dead after it has sent a part, which begins with the tail.
		s.limits.InFlight = 1
		opened(t, s, 2*fakePartSize, backends.CreateOptions{Resume: p.ID, At: p.Size})
		s = reopened(t, s).(*Store)
		want := int64(size/fakePartSize+1) * fakePartSize
		for p = onlyParked(t, s); p.Size < want; p = onlyParked(t, s) {
		}
		if p.Size%fakePartSize != 0 {
			t.Errorf("%+v", p)
		}
		if obj, err := upload(t, s, "k", 3, backends.CreateOptions{Resume: p.ID, At: p.Size}); err != nil || obj.Size != p.Size+3 {
			t.Errorf("%+v, %v", obj, err)
		}
		if got := f.objects["k"].content; !bytes.Equal(got, bytes.Repeat([]byte("x"), len(got))) {
			t.Error("the octets are not those that were sent")
		}
	}
}

// TestS17_ResumedFromTheStart: parts that nothing is kept of end when the object is written
// by one request.
func TestS17_ResumedFromTheStart(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	p := parkedUpload(t, s, 2*fakePartSize)
	if obj, err := upload(t, s, "k", 5, backends.CreateOptions{Resume: p.ID}); err != nil || obj.Size != 5 {
		t.Errorf("%+v, %v", obj, err)
	}
	if len(f.uploads) != 0 || len(f.objects) != 1 {
		t.Errorf("left behind %v, %v", f.uploads, f.objects)
	}
}

// TestS17_CopyThatDiedIsEnded by the janitor, and is nothing to go on with.
func TestS17_CopyThatDiedIsEnded(t *testing.T) {
	f := &fake{lax: true}
	s := serve(t, f)
	if _, err := upload(t, s, "src", 10, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	other := reopened(t, s).(*Store)
	var once sync.Once
	f.after = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") {
			once.Do(func() {
				p := onlyParked(t, other)
				if _, err := other.Create(t.Context(), "dst", backends.CreateOptions{Resume: p.ID}); p.Size != 0 || !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%+v, resumed: %v", p, err)
				}
				if err := other.Discard(t.Context(), p); err != nil {
					t.Error(err)
				}
			})
		}
		return false
	}
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); err == nil {
		t.Error("the copy was not ended")
	}
	if len(f.uploads) != 0 || len(f.objects) != 1 {
		t.Errorf("left behind %v, %v", f.uploads, f.objects)
	}
}

// TestS10_CutConditionalPut: a server that refuses a body by cutting the connection has
// refused it for the condition, if that does not hold.
func TestS10_CutConditionalPut(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	if _, err := upload(t, s, "k", 10, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}
	for _, c := range []struct {
		o    backends.CreateOptions
		kind error
	}{
		{backends.CreateOptions{IfAbsent: true}, fs.ErrExist}, {backends.CreateOptions{IfMatch: "old"}, backends.ErrChanged},
		{backends.CreateOptions{}, backends.ErrUnavailable}, {backends.CreateOptions{IfMatch: strings.Trim(f.objects["k"].etag, `"`)}, backends.ErrUnavailable},
	} {
		if _, err := upload(t, s, "k", 10, c.o); !errors.Is(err, c.kind) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}

// TestS17_LostUploadOfNobodyIsEnded: a part that was on its way when another ended the
// upload may have brought it back; whoever sent it sees to that.
func TestS17_LostUploadOfNobodyIsEnded(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	u, other, p := crashed(t, s, 2*fakePartSize)
	if err := other.Delete(t.Context(), p.ID, backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := u.Abort(); err != nil {
		t.Errorf("abort: %v", err)
	}
	if left, err := openUploads(t.Context(), s); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestS15_TakenWhileLookedAt: who finds more parts than a parked upload had, since another
// is going on with it, hears of that other, and not that there is less than was said.
func TestS15_TakenWhileLookedAt(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	p := parkedUpload(t, s, fakePartSize+1)
	other := reopened(t, s).(*Store)
	other.limits.InFlight = 1
	var met atomic.Bool
	var taker backends.Upload
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && r.URL.Query().Has("uploadId") && !met.Swap(true) {
			taker = opened(t, other, 4*fakePartSize, backends.CreateOptions{Resume: p.ID, At: p.Size})
		}
		return false
	}
	_, err := s.Create(t.Context(), "k", backends.CreateOptions{Resume: p.ID, At: p.Size})
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, backends.ErrBusy) {
		t.Errorf("the second to take it: %v", err)
	}
	if _, err := taker.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, want := len(f.objects["k"].content), 5*fakePartSize+1; got != want {
		t.Errorf("%d octets, want %d", got, want)
	}
}
