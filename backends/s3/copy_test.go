package s3

import (
	"errors"
	"io/fs"
	"net/http"
	"testing"

	"causeway/backends"
)

// TestS30_CopyTellsWhichConditionFailed: the service's answer does not.
func TestS30_CopyTellsWhichConditionFailed(t *testing.T) {
	for name, c := range map[string]struct {
		taken string // meanwhile
		want  error
	}{
		"source":      {"src", backends.ErrChanged},
		"destination": {"dst", fs.ErrExist},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			s := serve(t, f)
			src, err := upload(t, s, "src", 10, backends.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			f.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("X-Amz-Copy-Source") != "" {
					f.mu.Lock()
					defer f.mu.Unlock()
					f.objects[c.taken] = &fakeObject{content: []byte("theirs"), etag: `"theirs"`}
				}
				return false
			}
			_, err = s.Copy(t.Context(), "dst", "src", backends.CopyOptions{SourceIfMatch: src.ETag, IfAbsent: true})
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
