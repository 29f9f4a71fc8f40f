package e2e

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// choice is one level of one column of a table of test cases.
type choice struct{ column, level int }

// pair is two choices of different columns, the lower column first.
type pair [2]choice

// pairwise returns rows, a level per column each, in which every pair of choices occurs at
// least once that is possible: most faults need no more than two things to meet. The same
// random source gives the same rows.
func pairwise(levels []int, possible func(pair) bool, random *rand.Rand) [][]int {
	const candidates = 30 // for each row; the best is taken
	g := pairing{levels: levels, possible: possible, random: random, open: map[pair]bool{}}
	var rows [][]int
	for _, p := range g.pairs() {
		for g.open[p] {
			best, most := g.row(p)
			for range candidates - 1 {
				if row, n := g.row(p); n > most {
					best, most = row, n
				}
			}
			rows = append(rows, best)
			g.close(best)
		}
	}
	return rows
}

type pairing struct {
	levels   []int
	possible func(pair) bool
	random   *rand.Rand
	open     map[pair]bool // what no row has yet
}

// pairs lists and opens all that are possible.
func (g *pairing) pairs() []pair {
	var all []pair
	for a := range g.levels {
		for b := a + 1; b < len(g.levels); b++ {
			for i := range g.levels[a] {
				for j := range g.levels[b] {
					if p := (pair{{a, i}, {b, j}}); g.possible(p) {
						all, g.open[p] = append(all, p), true
					}
				}
			}
		}
	}
	return all
}

// row makes one that has the pair and, as far as it can, others that are open. It also
// returns how many those are.
func (g *pairing) row(p pair) (row []int, fresh int) {
	row = slices.Repeat([]int{-1}, len(g.levels))
	row[p[0].column], row[p[1].column] = p[0].level, p[1].level
	for _, column := range g.random.Perm(len(row)) {
		if row[column] >= 0 {
			continue
		}
		best, most := -1, -1
		for _, level := range g.random.Perm(g.levels[column]) {
			if n, ok := g.gain(row, choice{column, level}); ok && n > most {
				best, most = level, n
			}
		}
		row[column] = best
		fresh += most
	}
	return row, fresh
}

// gain is how many open pairs a choice adds to a row; false if it is not possible there.
func (g *pairing) gain(row []int, c choice) (n int, ok bool) {
	for column, level := range row {
		if level < 0 {
			continue
		}
		p := pair{{column, level}, c}
		if column > c.column {
			p[0], p[1] = p[1], p[0]
		}
		if !g.possible(p) {
			return 0, false
		}
		if g.open[p] {
			n++
		}
	}
	return n, true
}

func (g *pairing) close(row []int) {
	for a := range row {
		for b := a + 1; b < len(row); b++ {
			delete(g.open, pair{{a, row[a]}, {b, row[b]}})
		}
	}
}

func TestPairsOccurAndImpossibleOnesDoNot(t *testing.T) {
	levels := []int{12, 4, 5, 2, 4, 3}
	never := pair{{0, 3}, {1, 0}}
	possible := func(p pair) bool { return p != never }
	rows := pairwise(levels, possible, rand.New(rand.NewPCG(1, 2)))
	if len(rows) > 90 {
		t.Errorf("%d rows, where 60 are the least and 80 do", len(rows))
	}
	found := map[pair]bool{}
	for _, row := range rows {
		for a := range row {
			for b := a + 1; b < len(row); b++ {
				found[pair{{a, row[a]}, {b, row[b]}}] = true
			}
		}
	}
	want := 0
	for a := range levels {
		for b := a + 1; b < len(levels); b++ {
			want += levels[a] * levels[b]
		}
	}
	if len(found) != want-1 || found[never] {
		t.Errorf("%d pairs of %d, the impossible one %t", len(found), want-1, found[never])
	}
	again := pairwise(levels, possible, rand.New(rand.NewPCG(1, 2)))
	if !slices.EqualFunc(rows, again, slices.Equal) {
		t.Error("the same seed gave other rows")
	}
}
