package gcs

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causeway/backends/journal"
)

// FuzzLineage: whatever a record says, what is deleted and composed on its account is
// below the folder of parts, and what is understood is written down alike.
func FuzzLineage(f *testing.F) {
	f.Add("FOLDER/A", "")
	f.Add("FOLDER/A", "object:5 B:2 C:7")
	f.Add("FOLDER/A", "B:2 B:2")
	f.Add("../x/A", "object:0")
	f.Add("F/A/B", "B:99999999999999999999")
	f.Fuzz(func(t *testing.T, native, before string) {
		l, err := parseLineage(journal.Record{Native: native, Before: before})
		if err != nil {
			return
		}
		name := l.name(l.attempt, 0, 1)
		if rest, ok := strings.CutPrefix(name, partsPrefix); !ok || strings.Count(rest, "/") != 1 || strings.Contains(rest, "..") {
			t.Errorf("%q names a part %q", native, name)
		}
		var r journal.Record
		l.note(&r)
		if again, err := parseLineage(r); err != nil || !reflect.DeepEqual(again, l) {
			t.Errorf("%+v is written as %q and %q, and read as %+v, %v", l, r.Native, r.Before, again, err)
		}
	})
}

func TestRecordsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, r := range []journal.Record{
		{}, {Native: "F"}, {Native: "F/"}, {Native: "../A"}, {Native: "F/A/B"}, {Native: "F/a"},
		{Native: "F/A", Before: "B"}, {Native: "F/A", Before: "B:0"}, {Native: "F/A", Before: "B:2 C:2"},
		{Native: "F/A", Before: "B:3 C:2"}, {Native: "F/A", Before: "B:1 object:5"}, {Native: "F/A", Before: "object:5 B:1"},
		{Native: "F/A", Before: "B:4294967296"}, {Native: "F/A", Before: "../B:1"},
	} {
		if l, err := lineageOf("id", r); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%+v is read as %+v, %v", r, l, err)
		}
	}
}

// folderOf has parts by attempt and number, each as large as its number.
func folderOf(l lineage, parts ...string) map[string]part {
	stored := make(map[string]part)
	for _, p := range parts {
		var n int
		attempt, number, _ := strings.Cut(p, ":")
		fmt.Sscan(number, &n)
		name := l.name(attempt, 0, n)
		stored[name] = part{name: name, size: int64(n)}
	}
	return stored
}

func TestPartsCountInOrderAndOfTheRightAttempt(t *testing.T) {
	old := []stretch{{"A", 2}}
	for _, c := range []struct {
		name   string
		l      lineage
		stored []string
		want   string
	}{
		{"first attempt", lineage{attempt: "A"}, []string{"A:1", "A:2", "A:3"}, "A1 A2 A3"},
		{"none", lineage{attempt: "A"}, nil, ""},
		{"a part is missing", lineage{attempt: "A"}, []string{"A:1", "A:3"}, "A1"},
		{"second attempt", lineage{attempt: "B", earlier: old}, []string{"A:1", "A:2", "B:3"}, "A1 A2 B3"},
		{"the first one went on", lineage{attempt: "B", earlier: old}, []string{"A:1", "A:2", "A:3", "A:4", "B:3"}, "A1 A2 B3"},
		{"the first one went on alone", lineage{attempt: "B", earlier: old}, []string{"A:1", "A:2", "A:3"}, "A1 A2"},
		{"one of the first is gone", lineage{attempt: "B", earlier: old}, []string{"A:1", "B:2", "B:3"}, "A1"},
		{"behind an object", lineage{attempt: "A", object: 9}, []string{"A:1", "A:2", "A:3"}, "9 A2 A3"},
		{"behind an object, resumed", lineage{attempt: "B", object: 9, earlier: old}, []string{"A:2", "B:3"}, "9 A2 B3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for i, p := range c.l.chain(folderOf(c.l, c.stored...)) {
				if p.attempt == "" {
					got = append(got, fmt.Sprint(p.size))
				} else if got = append(got, fmt.Sprint(p.attempt, p.size)); p.size != int64(i+1) {
					t.Errorf("part %d is of %d octets", i+1, p.size)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestNextAttemptSeesThePartsThatItTook: however often an upload is resumed and cut, the
// record names the parts that were kept, and no others.
func TestNextAttemptSeesThePartsThatItTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lineage{folder: "F", attempt: "A", object: rapid.Int64Range(0, 1).Draw(t, "object")}
		stored := make(map[string]part)
		var want []part
		if l.object > 0 {
			want = []part{{size: l.object}}
		}
		for attempt := range rapid.IntRange(1, 6).Draw(t, "attempts") {
			kept := rapid.IntRange(0, len(want)).Draw(t, "kept")
			want = want[:max(kept, int(l.object))]
			l = l.next(string(rune('A'+attempt)), want)
			for range rapid.IntRange(0, 4).Draw(t, "new") {
				name := l.name(l.attempt, 0, len(want)+1)
				p := part{name: name, attempt: l.attempt, size: 1}
				stored[name], want = p, append(want[:len(want):len(want)], p)
			}
			var r journal.Record
			l.note(&r)
			read, err := parseLineage(r)
			if got := read.chain(stored); err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("after attempt %d: got %v, %v, want %v", attempt, got, err, want)
			}
		}
	})
}
