//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// board collects the results of the matrix and prints them as tables.
var board scoreboard

type scoreboard struct {
	mu      sync.Mutex
	cells   map[row]map[string]string  // by column: pass, FAIL or n/a
	odd     map[row]oddResult          // odd names
	reasons map[string]map[string]bool // why something is n/a, by client
}

type row struct{ client, store string }

type oddResult struct{ passed, total int }

func (s *scoreboard) record(r row, column, result string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cells == nil {
		s.cells = map[row]map[string]string{}
	}
	if s.cells[r] == nil {
		s.cells[r] = map[string]string{}
	}
	s.cells[r][column] = result
}

func (s *scoreboard) recordOdd(r row, passed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.odd == nil {
		s.odd = map[row]oddResult{}
	}
	result := s.odd[r]
	result.total++
	if passed {
		result.passed++
	}
	s.odd[r] = result
}

// explain notes why the client has no such cell or operation.
func (s *scoreboard) explain(client, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reasons == nil {
		s.reasons = map[string]map[string]bool{}
	}
	if s.reasons[client] == nil {
		s.reasons[client] = map[string]bool{}
	}
	s.reasons[client][reason] = true
}

// print writes one line per client and store, and the reasons of each n/a.
func (s *scoreboard) print(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cells) == 0 {
		return
	}
	short := strings.NewReplacer("plain", "pln", "explicit", "exp", "implicit", "imp")
	fmt.Fprintf(w, "\nclients x modes x stores (TLS: none, explicit, implicit / passive or active / IPv4 or IPv6)\n%-14s%-9s", "", "")
	for _, m := range modes() {
		fmt.Fprintf(w, " %-10s", short.Replace(m.String()))
	}
	fmt.Fprintf(w, " odd names\n")
	for _, c := range clients() {
		for _, b := range shared.buckets {
			r := row{c.name(), b.kind}
			fmt.Fprintf(w, "%-14s%-9s", r.client, r.store)
			for _, m := range modes() {
				result := s.cells[r][m.String()]
				if result == "" {
					result = "-"
				}
				fmt.Fprintf(w, " %-10s", result)
			}
			fmt.Fprintf(w, " %d/%d\n", s.odd[r].passed, s.odd[r].total)
		}
	}
	fmt.Fprintln(w, "\nn/a, and operations left out of a pass:")
	for _, client := range slices.Sorted(maps.Keys(s.reasons)) {
		for _, reason := range slices.Sorted(maps.Keys(s.reasons[client])) {
			fmt.Fprintf(w, "  %-14s %s\n", client, reason)
		}
	}
	fmt.Fprintln(w)
}
