package names

import "testing"

// TestMatchBelow: a directory may have what is meant, unless all patterns lead elsewhere.
func TestMatchBelow(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		want         bool
	}{
		{"*.csv", "a", true},
		{"/a", "a", true},
		{"/a", "A/b", true},
		{"/a", "b", false},
		{"/a/b/*.csv", "a", true},
		{"a/b/*.csv", "a/b", true},
		{"a/b/*.csv", "a/b/c.csv/d", true},
		{"a/b/*.csv", "a/b/c", false},
		{"a/b/*.csv", "a/c", false},
		{"a/b/*.csv", "b", false},
	} {
		ps, err := New([]string{c.pattern})
		if err != nil {
			t.Fatal(err)
		}
		if got := ps.MatchBelow(c.dir); got != c.want {
			t.Errorf("%s below %s: %t, want %t", c.pattern, c.dir, got, c.want)
		}
	}
	if (Patterns{}).MatchBelow("a") {
		t.Error("no pattern means nothing")
	}
}
