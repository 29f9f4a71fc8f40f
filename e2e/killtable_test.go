//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"sync"
)

// ending is that of one cell of the kill matrix.
type ending struct {
	way       string
	truncated bool // something else than before is under the name
	lost      bool // and something was there before
	resumable bool // it should have been possible to go on, and was tried
	resumed   bool // with what was kept, and the file is whole
	again     bool // nothing was kept, of nothing that was sent
	left      bool // something is kept, and nobody came back for it
	apart     bool
	published bool
}

// killTable gathers the endings by way.
type killTable struct {
	mu      sync.Mutex
	endings map[string][]ending
	orphans map[string][2]int // by kind of store: before and after the janitor
}

func (k *killTable) add(o ending) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.endings == nil {
		k.endings = map[string][]ending{}
	}
	k.endings[o.way] = append(k.endings[o.way], o)
}

func (k *killTable) before(kind string, n int) { k.orphaned(kind, 0, n) }

func (k *killTable) after(kind string, n int) { k.orphaned(kind, 1, n) }

func (k *killTable) orphaned(kind string, when, n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.orphans == nil {
		k.orphans = map[string][2]int{}
	}
	counts := k.orphans[kind]
	counts[when] = n
	k.orphans[kind] = counts
}

// sum counts those of a way that is true of.
func (k *killTable) sum(way string, is func(ending) bool) int {
	n := 0
	for _, o := range k.endings[way] {
		if is(o) {
			n++
		}
	}
	return n
}

func (k *killTable) print(w io.Writer, cells int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	const form = "%-34s%6v%21v%22v%11v%18v%9v\n"
	fmt.Fprintf(w, "\nclients that vanish in the middle of STOR: %d cells of way x TLS x size x new or overwrite x store\n", cells)
	fmt.Fprintf(w, form, "", "runs", "published truncated", "previous object lost", "resumed", "nothing was kept", "left")
	for _, way := range ways() {
		if way.apart {
			continue
		}
		resumed := fmt.Sprintf("%d/%d", k.sum(way.name, func(o ending) bool { return o.resumed }),
			k.sum(way.name, func(o ending) bool { return o.resumable }))
		fmt.Fprintf(w, form, way.name, len(k.endings[way.name]),
			k.sum(way.name, func(o ending) bool { return o.truncated }), k.sum(way.name, func(o ending) bool { return o.lost }),
			resumed, k.sum(way.name, func(o ending) bool { return o.again }), k.sum(way.name, func(o ending) bool { return o.left }))
	}
	fmt.Fprintln(w, "apart, since it cannot be told from a goodbye:")
	for _, way := range ways() {
		if way.apart {
			fmt.Fprintf(w, "%-34s%6d runs, %d published what had come\n", way.name, len(k.endings[way.name]),
				k.sum(way.name, func(o ending) bool { return o.published }))
		}
	}
	fmt.Fprint(w, "files, parts and records in the store, before and after the janitor:")
	for _, b := range shared.buckets {
		fmt.Fprintf(w, "  %s %d, %d", b.kind, k.orphans[b.kind][0], k.orphans[b.kind][1])
	}
	fmt.Fprint(w, "\n\n")
}
