package gateway

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryClauseIsProven holds SEMANTICS.md to its word: each clause has a test or a
// transcript that carries its number, and no test proves a clause that is not there.
func TestEveryClauseIsProven(t *testing.T) {
	text, err := os.ReadFile("SEMANTICS.md")
	if err != nil {
		t.Fatal(err)
	}
	clauses := make(map[string]string) // by number, with a test that proves it
	for _, m := range regexp.MustCompile(`(?m)^\*\*(S\d+) `).FindAllSubmatch(text, -1) {
		if _, twice := clauses[string(m[1])]; twice {
			t.Errorf("there are two clauses %s", m[1])
		}
		clauses[string(m[1])] = ""
	}
	if len(clauses) == 0 {
		t.Fatal("no clauses")
	}
	number := regexp.MustCompile(`^S\d+`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for _, name := range testNames(t, path) {
			for word := range strings.SplitSeq(name, "_") {
				clause := number.FindString(word)
				if _, ok := clauses[clause]; ok {
					clauses[clause] = name
				} else if clause != "" {
					t.Errorf("%s: %s is for a clause that is not there", path, name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for clause, proof := range clauses {
		if proof == "" {
			t.Errorf("nothing proves %s", clause)
		}
	}
}
