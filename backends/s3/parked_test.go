package s3

import (
	"net/http"
	"strings"
	"testing"

	"causeway/backends"
)

// TestS17_RecordsThatAreNotUnderstood hide no others, and are left alone.
func TestS17_RecordsThatAreNotUnderstood(t *testing.T) {
	f := &fake{}
	s := serve(t, f)
	p := parkedUpload(t, s, 10)
	for _, line := range []string{`{"version":1}`, `{"version":1,"native":"x","before":"{}"}`, `{"version":99}`, "theirs"} {
		if err := s.Save(t.Context(), ".causeway/uploads/a.~"+strings.Repeat("A", 26)+"~open", strings.NewReader(line+"\n"), int64(len(line)+1)); err != nil {
			t.Fatal(err)
		}
		page, err := s.Parked(t.Context(), backends.ParkedQuery{})
		if err != nil || len(page.Uploads) != 1 || page.Uploads[0] != p {
			t.Errorf("%s: %+v, %v", line, page, err)
		}
	}
}

// TestS13_CopyIsNoUpload: of a copy that another gateway makes, the last part tells when it
// was alive, and of one that was done when its gateway died nothing is told.
func TestS13_CopyIsNoUpload(t *testing.T) {
	f := &fake{lax: true}
	s := serve(t, f)
	if _, err := upload(t, s, "src", 10, backends.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	other := reopened(t, s).(*Store)
	looked := false
	f.after = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !r.URL.Query().Has("uploadId") || looked {
			return false
		}
		looked = true
		page, err := other.Parked(t.Context(), backends.ParkedQuery{})
		if err != nil || len(page.Uploads) != 0 {
			t.Errorf("made already: %+v, %v", page, err)
		}
		return false
	}
	if _, err := s.Copy(t.Context(), "dst", "src", backends.CopyOptions{IfAbsent: true}); err != nil || !looked {
		t.Errorf("%v, looked: %v", err, looked)
	}
}
