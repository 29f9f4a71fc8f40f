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

// Rows of FAULTS.md: the rules, the faults, and what each fault does to the commands.
const (
	rules    = 10
	faults   = 34
	commands = 7
)

// TestEveryFaultIsAnswered holds FAULTS.md to its word: each rule and each fault is there
// once, has tests that exist or a sentence that says why there can be none, and tells
// what happens to every kind of command.
func TestEveryFaultIsAnswered(t *testing.T) {
	text, err := os.ReadFile("FAULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	cells := make(map[string]int) // of a fault: rows with a cell for each kind of command
	proof := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^\| ([RF]\d+) \| (.+) \|$`).FindAllStringSubmatch(string(text), -1) {
		row, columns := m[1], strings.Split(m[2], " | ")
		if len(columns) == commands+1 {
			cells[row]++
			continue
		}
		if proof[row] != "" {
			t.Errorf("%s has two proofs", row)
		}
		proof[row] = columns[len(columns)-1]
	}
	known := everyTest(t)
	check := func(row string) {
		answer := proof[row]
		tests := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(answer, -1)
		if len(tests) == 0 && !strings.HasSuffix(answer, ".") {
			t.Errorf("nothing proves %s", row)
		}
		for _, test := range tests {
			if !known[test[1]] {
				t.Errorf("%s: there is no %s", row, test[1])
			}
		}
	}
	for n := range rules {
		check(fmt.Sprintf("R%d", n+1))
	}
	for n := range faults {
		row := fmt.Sprintf("F%d", n+1)
		check(row)
		if cells[row] != 1 {
			t.Errorf("%s is told of all commands %d times, want once", row, cells[row])
		}
	}
	if len(proof) != rules+faults || len(cells) != faults {
		t.Errorf("%d proofs and %d faults, want %d and %d", len(proof), len(cells), rules+faults, faults)
	}
}

// everyTest are the tests of the whole module, by name.
func everyTest(t *testing.T) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(src, -1) {
			known[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
