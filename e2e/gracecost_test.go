//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

// leastGrace is what every upload waits for the end of its control connection at least.
const leastGrace = 500 * time.Microsecond

// waits are the graces of the uploads of one kind, the shortest first.
type waits struct {
	kind   string
	graces []time.Duration
}

// at is the wait that so many of a hundred uploads do not go beyond.
func (w waits) at(percent int) time.Duration { return w.graces[(len(w.graces)*percent-1)/100] }

func printWaits(w io.Writer, table []waits) {
	fmt.Fprintf(w, "\n%-32s%8s%12s%12s\n", "grace before the commit", "uploads", "p50", "p99")
	for _, line := range table {
		fmt.Fprintf(w, "%-32s%8d%12v%12v\n", line.kind, len(line.graces),
			line.at(50).Round(time.Microsecond), line.at(99).Round(time.Microsecond))
	}
	fmt.Fprintln(w)
}

// TestS11_WhatTheGraceCosts prints what the grace adds to small uploads over loopback.
func TestS11_WhatTheGraceCosts(t *testing.T) {
	var table []waits
	for _, kind := range []string{"localdir", "s3"} {
		for _, mode := range []int{inClear, explicit13} {
			name := kind + ", " + tlsMode(mode)
			g := start(t, setup{plain4: true, accounts: []account{{name: user, store: bucketOf(kind), prefix: random(4) + "/"}}})
			uploads := 0
			if !t.Run(name, func(t *testing.T) { uploads = smallUploads(t, g, mode) }) {
				return
			}
			table = append(table, waits{name, gracesOf(t, g, uploads)})
		}
	}
	printWaits(os.Stdout, table)
}

// smallUploads stores files, a few at a time, and returns how many.
func smallUploads(t *testing.T, g *gateway, mode int) int {
	const clients, each = 4, 50
	for client := range clients {
		t.Run(fmt.Sprint(client), func(t *testing.T) {
			t.Parallel()
			v, data := &victim{session: &session{t: t}}, content(4<<10)
			g.enter(v, mode, user)
			for i := range each {
				v.store(fmt.Sprintf("STOR %d-%02d.jpg", client, i), data)
			}
			v.do("QUIT", "221")
		})
	}
	return clients * each
}

// gracesOf are the graces of a gateway's first uploads, as its log tells them.
func gracesOf(t *testing.T, g *gateway, uploads int) []time.Duration {
	t.Helper()
	var graces []time.Duration
	for i := range uploads {
		r, err := g.log.await(func(r record) bool { return r["msg"] == "transfer" }, i, g.exited)
		if err != nil {
			t.Fatal(err)
		}
		grace, err := time.ParseDuration(r.text("grace"))
		if err != nil || r.text("done") != "stored" || grace < leastGrace {
			t.Fatalf("%v: %v", r, err)
		}
		graces = append(graces, grace)
	}
	slices.Sort(graces)
	return graces
}
