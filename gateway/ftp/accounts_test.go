package ftp

import (
	"strconv"
	"testing"
)

func TestAccountSetIsBounded(t *testing.T) {
	a := newAccountSet()
	for i := range 3*maxRemembered + 1 {
		a.add(strconv.Itoa(i))
		if !a.has(strconv.Itoa(i)) {
			t.Fatalf("account %d is forgotten at once", i)
		}
	}
	if n := len(a.recent) + len(a.old); n > 2*maxRemembered {
		t.Errorf("%d accounts kept", n)
	}
	if a.has("0") || !a.has(strconv.Itoa(2*maxRemembered)) {
		t.Error("the wrong ones are kept")
	}
}
