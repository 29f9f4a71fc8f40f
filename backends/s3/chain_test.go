package s3

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// parts are some with these numbers, each of another content.
func partsOf(numbers ...int) []part {
	var parts []part
	for _, n := range numbers {
		parts = append(parts, part{number: n, etag: string(rune('a' + n)), size: leastPart})
	}
	return parts
}

// FuzzChain: what a record says is read as it was written, or refused.
func FuzzChain(f *testing.F) {
	for _, seed := range []string{
		chain{Mark: "m", Next: 1}.String(), chain{Mark: "m", Summed: true}.after(partsOf(1, 2, 66), 130).String(),
		`{"spans":[[1,2],[2,3]],"next":4}`, `{"spans":[[1,99999999999]],"next":5}`, `{"spans":[[-5,3]],"next":4}`, `{"next":0}`, "", "null",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseChain(text)
		if err != nil {
			return
		}
		last := 0
		for _, span := range c.Spans {
			if span[0] <= last || span[1] < span[0] || span[1] > maxParts {
				t.Fatalf("%q: %v", text, c.Spans)
			}
			last = span[1]
		}
		if c.Next <= last {
			t.Fatalf("%q: %+v", text, c)
		}
		again, err := parseChain(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%+v was read as %+v, %v", c, again, err)
		}
		c.pick(nil, leastPart)
	})
}

// TestS13_ChainPicksItsParts out of those that the server lists, which are also those of
// writers that have lost the upload.
func TestS13_ChainPicksItsParts(t *testing.T) {
	small := part{number: 12, etag: "s", size: leastPart - 1}
	replaced := partsOf(1, 2)
	replaced[1].etag = "other"
	for name, c := range map[string]struct {
		chain  chain
		listed []part
		want   []int
		own    int
		broken bool
	}{
		"new":              {chain{Next: 1}, nil, nil, 0, false},
		"own":              {chain{Next: 1}, partsOf(1, 2, 3), []int{1, 2, 3}, 3, false},
		"own with a gap":   {chain{Next: 1}, partsOf(1, 3), []int{1}, 1, false},
		"own is too small": {chain{Next: 10}, append(partsOf(10, 11), small), []int{10, 11}, 2, false},
		"after others":     {chain{}.after(partsOf(1, 2), 70), partsOf(1, 2, 3, 4, 70, 71), []int{1, 2, 70, 71}, 2, false},
		"strangers only":   {chain{}.after(partsOf(1, 2), 70), partsOf(1, 2, 3, 69), []int{1, 2}, 0, false},
		"two before":       {chain{}.after(partsOf(1, 2, 70), 200), partsOf(1, 2, 3, 70, 71, 200), []int{1, 2, 70, 200}, 1, false},
		"none kept":        {chain{}.after(nil, 70), partsOf(1, 2, 70), []int{70}, 1, false},
		"one is missing":   {chain{}.after(partsOf(1, 2), 70), partsOf(2, 70), nil, 0, true},
		"one is another":   {chain{}.after(partsOf(1, 2), 70), replaced, nil, 0, true},
	} {
		got, own, ok := c.chain.pick(c.listed, leastPart)
		var numbers []int
		for _, p := range got {
			numbers = append(numbers, p.number)
		}
		if !slices.Equal(numbers, c.want) || own != c.own || ok == c.broken {
			t.Errorf("%s: %v, %d, %v", name, numbers, own, ok)
		}
	}
}

// TestS13_CutsAreExact: what is kept has exactly the octets asked for, or is refused.
func TestS13_CutsAreExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a := arrived{tail: rapid.Int64Range(0, 10).Draw(r, "tail")}
		for range rapid.IntRange(0, 5).Draw(r, "parts") {
			a.parts = append(a.parts, part{size: rapid.Int64Range(1, 10).Draw(r, "size")})
		}
		n := rapid.Int64Range(0, a.size()+3).Draw(r, "at")
		cut, ok := a.cut(n)
		boundary := n == 0
		var at int64
		for _, p := range a.parts {
			at += p.size
			boundary = boundary || n == at
		}
		if want := boundary || n >= at && n <= a.size(); ok != want {
			r.Fatalf("at %d of %+v: %v, want %v", n, a, ok, want)
		}
		if ok && cut.size() != n {
			r.Fatalf("at %d of %+v: kept %d", n, a, cut.size())
		}
	})
}

// TestCopiesAreOfPartsThatS3Takes, whatever the size, and leave numbers for what follows.
func TestCopiesAreOfPartsThatS3Takes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		size := rapid.Int64Range(leastPart, 40<<40).Draw(r, "size")
		n := int64(pieces(size))
		var at int64
		for i := range n {
			end := size * (i + 1) / n
			if each := end - at; each < leastPart || each > maxPartSize {
				r.Fatalf("part %d of %d: %d octets", i+1, n, each)
			}
			at = end
		}
		if at != size || n >= maxParts {
			r.Fatalf("%d of %d octets in %d parts", at, size, n)
		}
	})
}
