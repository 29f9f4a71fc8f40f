package s3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/transport"
)

// TestDamagedOnTheWayIsSentAgain: the server refuses what has another checksum.
func TestDamagedOnTheWayIsSentAgain(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	damaged := true
	f.before = func(w http.ResponseWriter, _ *http.Request) bool {
		was := damaged
		if damaged = false; was {
			refuse(w, http.StatusBadRequest, "BadDigest")
		}
		return was
	}
	if err := put(t.Context(), s, backends.CreateOptions{}); err != nil || len(f.asked()) != 2 {
		t.Error(err)
	}
}

// TestPageCutShortIsAskedForAgain: what ends before its time is no page.
func TestPageCutShortIsAskedForAgain(t *testing.T) {
	const page = `<ListBucketResult><Contents><Key>k</Key><Size>1</Size></Contents></ListBucketResult>`
	requests := 0
	s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		if requests++; requests > 1 {
			io.WriteString(w, page)
			return
		}
		io.WriteString(w, page[:30])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	got, err := s.List(t.Context(), backends.Query{})
	if err != nil || len(got.Objects) != 1 || requests != 2 {
		t.Errorf("%d objects by %d requests, %v", len(got.Objects), requests, err)
	}
}

// TestCopyTellsWhyItsSourceIsNotSeen: an answer to HEAD has no code, one to GET has.
func TestCopyTellsWhyItsSourceIsNotSeen(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   error
	}{
		{http.StatusForbidden, "ExpiredToken", backends.ErrUnavailable},
		{http.StatusForbidden, "AccessDenied", fs.ErrPermission},
		{http.StatusNotFound, "NoSuchBucket", backends.ErrUnavailable},
		{http.StatusNotFound, "NoSuchKey", fs.ErrNotExist},
	} {
		s := storeOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, c.status, c.code) }))
		if _, err := s.Copy(t.Context(), "to", "from", backends.CopyOptions{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.code, err, c.want)
		}
	}
}

// TestSilenceIsNotRepeated: each try would hold the client for half a minute.
func TestSilenceIsNotRepeated(t *testing.T) {
	if retryer().IsErrorRetryable(fmt.Errorf("put: %w", transport.ErrStalled)) {
		t.Error("a request that has waited long enough is repeated")
	}
	if !retryer().IsErrorRetryable(fmt.Errorf("list: %w", io.ErrUnexpectedEOF)) {
		t.Error("a request whose answer was cut short is not repeated")
	}
}

// TestPausesStayWithinTheirBound, and differ, so that clients do not come back in step.
func TestPausesStayWithinTheirBound(t *testing.T) {
	different := map[time.Duration]bool{}
	for range 100 {
		for attempt, bound := range map[int]time.Duration{0: firstPause, 1: 2 * firstPause, 3: 8 * firstPause, 9: lastPause} {
			d, err := pause(attempt, nil)
			if err != nil || d < 0 || d >= bound {
				t.Fatalf("%v after attempt %d, %v", d, attempt, err)
			}
			different[d] = true
		}
	}
	if len(different) < 100 {
		t.Errorf("%d different pauses of 400", len(different))
	}
}

// TestTimeForCopiesGrowsWithTheirSize, within what anybody waits.
func TestTimeForCopiesGrowsWithTheirSize(t *testing.T) {
	for size, want := range map[int64]time.Duration{0: slowLeast, 100 << 20: slowLeast + 6*time.Second, 5 << 40: slowMost} {
		if got := slow(size); got != want {
			t.Errorf("%d octets: %v, want %v", size, got, want)
		}
	}
}
