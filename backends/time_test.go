package backends

import (
	"testing"
	"time"
)

func TestModTimeText(t *testing.T) {
	tests := []struct {
		text string
		want time.Time
	}{
		{"0", time.Unix(0, 0)},
		{"1700000000", time.Unix(1700000000, 0)},
		{"1700000000.5", time.Unix(1700000000, 5e8)},
		{"1700000000.123456789", time.Unix(1700000000, 123456789)},
		{"-1", time.Unix(-1, 0)},
		{"-0.5", time.Unix(-1, 5e8)},
		{"-1.000000001", time.Unix(-2, 999999999)},
		{"-62135596800", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"253402300799", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
	}
	for _, test := range tests {
		got, ok := ParseModTime(test.text)
		if !ok || !got.Equal(test.want) || got.Location() != time.UTC {
			t.Errorf("ParseModTime(%q) = %v, %v, want %v", test.text, got, ok, test.want.UTC())
		}
		if text := FormatModTime(test.want); text != test.text {
			t.Errorf("FormatModTime(%v) = %q, want %q", test.want.UTC(), text, test.text)
		}
	}
}

func TestModTimeOtherForms(t *testing.T) {
	tests := map[string]time.Time{
		"1700000000.":               time.Unix(1700000000, 0),
		"1.0000000019":              time.Unix(1, 1),
		"2023-11-14T22:13:20Z":      time.Unix(1700000000, 0),
		"2023-11-14T23:13:20+01:00": time.Unix(1700000000, 0),
		"2023-11-14T22:13:20.25Z":   time.Unix(1700000000, 25e7),
	}
	for text, want := range tests {
		if got, ok := ParseModTime(text); !ok || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("ParseModTime(%q) = %v, %v, want %v", text, got, ok, want.UTC())
		}
	}
	for _, text := range []string{
		"", ".", ".5", "-", "--1", "+1", "1e9", "0x10", " 1", "1 ", "1.-5", "1.5.5", "NaN", "yesterday",
		"253402300800", "-62135596801", "9999999999999999999", "0000-01-01T00:00:00Z",
	} {
		if got, ok := ParseModTime(text); ok {
			t.Errorf("ParseModTime(%q) = %v, want a refusal", text, got)
		}
	}
}

func TestS24_ObjectTimeIsTheOneSet(t *testing.T) {
	written, set := time.Unix(1700000000, 0).UTC(), time.Unix(1000000000, 0).UTC()
	o := Object{ModTime: written}
	if got := o.Time(); !got.Equal(written) {
		t.Errorf("nothing set: %v", got)
	}
	o.Metadata = map[string]string{MetaModTime: FormatModTime(set)}
	if got := o.Time(); !got.Equal(set) {
		t.Errorf("set: %v", got)
	}
	o.Metadata[MetaModTime] = "yesterday"
	if got := o.Time(); !got.Equal(written) {
		t.Errorf("nonsense set: %v", got)
	}
}

func FuzzParseModTime(f *testing.F) {
	for _, seed := range []string{"0", "-1.5", "1700000000.25", "2023-11-14T22:13:20Z", "1e9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, ok := ParseModTime(text)
		if !ok {
			return
		}
		if again, ok := ParseModTime(FormatModTime(parsed)); !ok || !again.Equal(parsed) {
			t.Errorf("%q is %v, which came back as %v, %v", text, parsed, again, ok)
		}
	})
}

// Budget: 20 ns where no time is set, as in most listings, 200 ns where one is; no
// allocation in either.
func BenchmarkObjectTime(b *testing.B) {
	for name, o := range timed() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Time()
			}
		})
	}
}

// timed are objects as listings tell them.
func timed() map[string]Object {
	return map[string]Object{
		"not set": {ModTime: time.Unix(1700000000, 0)},
		"set":     {Metadata: map[string]string{MetaModTime: "1700000000.25"}},
	}
}

func TestTimesDoNotAllocate(t *testing.T) {
	for name, o := range timed() {
		if got := testing.AllocsPerRun(100, func() { o.Time() }); got > 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}
