package localdir

import (
	"testing"
	"time"

	"causeway/backends"
)

// TestSinceIsNoClients: a time that a client sets does not make a file older than it is, by a
// look and in a listing.
func TestSinceIsNoClients(t *testing.T) {
	s, _ := newStore(t)
	put(t, s, "a", "content")
	before, err := s.Stat(t.Context(), "a", backends.StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	long := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	metadata := map[string]string{backends.MetaModTime: backends.FormatModTime(long)}
	if _, err := s.Copy(t.Context(), "a", "a", backends.CopyOptions{Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
	looked, err := s.Stat(t.Context(), "a", backends.StatOptions{})
	if err != nil || !looked.ModTime.Equal(long) || looked.Since().Before(before.ModTime) {
		t.Errorf("%v since %v, %v", looked.ModTime, looked.Since(), err)
	}
	page, err := s.List(t.Context(), backends.Query{})
	if err != nil || len(page.Objects) != 1 || !page.Objects[0].Since().Equal(looked.Since()) {
		t.Errorf("%+v, %v", page, err)
	}
}
