package azblob

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// nonces of two attempts.
var nonceA, nonceB = strings.Repeat("A", nonceLength), strings.Repeat("B", nonceLength)

func TestBlockIDsAreOurs(t *testing.T) {
	for _, n := range []int{1, 50_000} {
		if id := blockID(nonceA, n); len(id) != 44 || !ours(id) {
			t.Errorf("%q", id)
		}
	}
	for _, raw := range []string{"", "000001", nonceA, nonceA + "-0000x", nonceA + "_00001", strings.ToLower(nonceA) + "-00001", nonceA + "-000001"} {
		if ours(base64.StdEncoding.EncodeToString([]byte(raw))) {
			t.Errorf("%q is taken for ours", raw)
		}
	}
	if ours("no base64!") {
		t.Error("what is no id is taken for ours")
	}
}

func TestCut(t *testing.T) {
	blocks := []block{{"a", 3}, {"b", 2}, {"c", 4}}
	for size, want := range map[int64]int{0: 0, 3: 1, 5: 2, 9: 3} {
		if n, ok := cut(blocks, size); n != want || !ok {
			t.Errorf("%d octets are %d blocks, %v; want %d", size, n, ok, want)
		}
	}
	for _, size := range []int64{-1, 1, 4, 8, 10} {
		if n, ok := cut(blocks, size); n != 0 || ok {
			t.Errorf("%d octets are %d blocks, %v; want none", size, n, ok)
		}
	}
}

// TestS13_OnlyBlocksOfTheChainCount: neither those that come after one that is missing, nor
// those that a writer has staged who lost the upload, nor too few.
func TestS13_OnlyBlocksOfTheChainCount(t *testing.T) {
	object := []block{{blockID(nonceA, 1), 10}, {blockID(nonceA, 2), 20}}
	list := blockList{committed: object, uncommitted: map[string]int64{
		blockID(nonceA, 3): 3, blockID(nonceA, 4): 4, blockID(nonceA, 6): 6,
		blockID(nonceB, 3): 30, blockID(nonceB, 4): 40, blockID(nonceB, 5): 50,
	}}
	tests := []struct {
		chain, nonce string
		want         int64
	}{
		{"", nonceA, 0},                                      // 1 is missing
		{"=2", nonceA, 10 + 20 + 3 + 4},                      // 5 is missing
		{"=2 +1", nonceA, 10 + 20 + 3 + 4},                   // one copied, one new
		{"=2 +2", nonceA, 0},                                 // both copied, nothing new
		{"=2 +3", nonceA, 0},                                 // what was kept is not complete
		{"=2 " + nonceA + "*1", nonceB, 10 + 20 + 3 + 90},    // 4 of A is not of this upload
		{"=2 " + nonceA + "*2", nonceB, 10 + 20 + 7 + 50},    // 3 and 4 of B are not
		{"=2 " + nonceA + "*3", nonceB, 0},                   // some of the chain is gone
		{"=3", nonceA, 0},                                    // the object is not what it was
		{"=2", strings.Repeat("C", nonceLength), 0},          // nothing but the object
		{"=0", nonceA, 0},                                    // likewise
		{"=2 " + nonceA + "*1", strings.Repeat("C", 26), 33}, // nothing new, but something
	}
	for _, test := range tests {
		c, ok := parseChain(test.chain)
		if got := sum(c.find(list, test.nonce)); got != test.want || !ok {
			t.Errorf("%q then %.1s: %d octets, want %d", test.chain, test.nonce, got, test.want)
		}
	}
}

func TestChainOfWhatIsKept(t *testing.T) {
	c, ok := parseChain("=2 " + nonceA + "*3 +1")
	if !ok {
		t.Fatal("not parsed")
	}
	for n, want := range map[int]string{
		1: "=1", 2: "=2", 4: "=2 " + nonceA + "*2", 5: "=2 " + nonceA + "*3", 9: "=2 " + nonceA + "*3 " + nonceB + "*4",
	} {
		if got := c.first(n, nonceB).String(); got != want {
			t.Errorf("first %d: %q, want %q", n, got, want)
		}
	}
	if got := c.String(); got != "=2 "+nonceA+"*3 +1" {
		t.Errorf("changed to %q", got)
	}
}

func FuzzParseChain(f *testing.F) {
	for _, seed := range []string{"", "=3", "=0 +1", nonceA + "*2", "=1 " + nonceA + "*2 " + nonceB + "*1 +7", "=1 =2", "*", "x", "+-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseChain(text)
		if !ok {
			return
		}
		again, ok := parseChain(c.String())
		if !ok || again.least != c.least || !slices.Equal(again.spans, c.spans) {
			t.Errorf("%q: %+v became %q", text, c, c.String())
		}
	})
}

// TestLead: see the function's comment for what is kept of an object.
func TestLead(t *testing.T) {
	l := limits{parts: 20, firstPart: 8}
	foreign := block{base64.StdEncoding.EncodeToString([]byte("000001")), 8}
	blocks := func(sizes ...int64) (list []block) {
		for i, size := range sizes {
			list = append(list, block{blockID(nonceA, i+1), size})
		}
		return list
	}
	many := func(n int, size int64) []block { return blocks(slices.Repeat([]int64{size}, n)...) }
	tests := []struct {
		name   string
		blocks []block
		at     int64
		want   int
	}{
		{"written by one request", nil, 100, 0},
		{"all", blocks(8, 8, 3), 19, 3},
		{"up to a boundary", blocks(8, 8, 3), 16, 2},
		{"inside a block", blocks(8, 8, 3), 15, 1},
		{"inside the first", blocks(8, 8, 3), 7, 0},
		{"another program's", append(blocks(8), foreign, foreign), 24, 1},
		{"half of the blocks, small", many(10, 1), 10, 10},
		{"more than half, small", many(11, 1), 11, 0},
		{"more than half, the last ones small", append(many(5, 8), many(7, 1)...), 47, 5},
		{"more than half, large", many(18, 8), 18 * 8, 18},
		{"hardly any left", many(19, 8), 19 * 8, 0},
	}
	for _, test := range tests {
		if got := lead(test.blocks, test.at, l); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
