package pattern

import (
	"io"
	"testing"
)

func TestReaderMeetsCheck(t *testing.T) {
	p := New()
	for _, offset := range []int64{0, 1, Block - 1, 5*Block + 7} {
		got, err := io.ReadAll(p.Reader(offset, 2*Block+3))
		if err != nil || len(got) != 2*Block+3 {
			t.Fatalf("%d octets: %v", len(got), err)
		}
		if err := p.Check(offset, got); err != nil {
			t.Error(err)
		}
		got[2*Block] ^= 1
		if p.Check(offset, got) == nil {
			t.Errorf("from %d on: a changed octet passes", offset)
		}
	}
}

func TestContentIsThatOfAllRuns(t *testing.T) {
	if a, b := New().At(0), New().At(Block); &a[0] == &b[0] || string(a) != string(b) {
		t.Error("two Patterns differ, or are one")
	}
}
