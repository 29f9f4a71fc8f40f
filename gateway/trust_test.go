package gateway

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryThreatIsAnswered holds TRUST.md to its word: each row of the threat list on data
// connections (D), on the control connection and TLS (T), on logins (A), on paths and listings
// (P), on transfers (X) and on what is around the gateway (O) has a test or a transcript that
// carries its number, or a sentence there.
func TestEveryThreatIsAnswered(t *testing.T) {
	answered := sentences(t)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, name := range testNames(t, path) {
			for word := range strings.SplitSeq(name, "_") {
				answered[word] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for letter, rows := range map[string]int{"D": 18, "T": 28, "A": 15, "P": 21, "X": 20, "O": 15} {
		for n := range rows {
			if id := fmt.Sprintf("%s%d", letter, n+1); !answered[id] {
				t.Errorf("no test, transcript or sentence for %s", id)
			}
		}
	}
}

// sentences are the rows that TRUST.md answers itself.
func sentences(t *testing.T) map[string]bool {
	text, err := os.ReadFile("TRUST.md")
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, row := range regexp.MustCompile(`(?m)^\| ([DTAPXO]\d+), .+ \| .+\. \|$`).FindAllStringSubmatch(string(text), -1) {
		ids[row[1]] = true
	}
	return ids
}

// testNames are the tests of a file, without the word Test, or the name of a transcript.
func testNames(t *testing.T, path string) []string {
	if filepath.Base(filepath.Dir(path)) == "testdata" {
		return []string{strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))}
	}
	if !strings.HasSuffix(path, "_test.go") {
		return nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^func (?:Test|Fuzz)(\w+)\(`).FindAllSubmatch(src, -1) {
		names = append(names, string(m[1]))
	}
	return names
}
