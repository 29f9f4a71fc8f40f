package gcs

import (
	"bytes"
	"context"
	"testing"

	"causeway/backends"
	"causeway/backends/journal"
)

// interrupted is a store in which something happens before a record is read.
type interrupted struct {
	*Store
	by func()
}

func (i *interrupted) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	if by := i.by; by != nil {
		i.by = nil
		by()
	}
	return i.Store.Open(ctx, key, o)
}

// TestS13_LoserLeavesWhatIsParkedMeanwhile: who has lost an upload and cleans up does not
// take it for ended because its record is replaced at that moment.
func TestS13_LoserLeavesWhatIsParkedMeanwhile(t *testing.T) {
	f, s, other := twoStores(t)
	s.parts.inFlight = 1 // so that the first part is stored when the second is sent
	content := random(4 * testPart)
	lost := begin(t, s, "k", content[:3*testPart], backends.CreateOptions{})
	found := parked(t, other)
	if len(found) != 1 {
		t.Fatalf("parked: %+v", found)
	}
	p := found[0]
	owner := begin(t, other, "k", content[p.Size:3*testPart+1], backends.CreateOptions{Resume: p.ID, At: p.Size})
	s.journal = journal.New(&interrupted{s, func() {
		if _, err := owner.Park(); err != nil {
			t.Error(err)
		}
	}})
	if err := lost.Abort(); err != nil {
		t.Error(err)
	}
	all := parked(t, other)
	if len(all) != 1 {
		t.Fatalf("parked: %+v", all)
	}
	_, err := put(t, other, "k", content[all[0].Size:], backends.CreateOptions{Resume: all[0].ID, At: all[0].Size})
	if err != nil || !bytes.Equal(f.content("k"), content) {
		t.Error(err)
	}
}
