package faults

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// Traffic is what has passed, by operation.
type Traffic map[string]Count

// Count is what has passed of one operation.
type Count struct {
	Requests int
	Sent     int64 // octets of bodies that the store was sent
	Received int64 // octets of bodies that it has answered with
}

// Sum is all of it.
func (t Traffic) Sum() Count {
	var sum Count
	for _, c := range t {
		sum = Count{sum.Requests + c.Requests, sum.Sent + c.Sent, sum.Received + c.Received}
	}
	return sum
}

// String prints in a fixed order: "2 UploadPart (10 up, 0 down)".
func (t Traffic) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, fmt.Sprintf("%d %s (%d up, %d down)", t[name].Requests, name, t[name].Sent, t[name].Received))
	}
	return strings.Join(parts, ", ")
}

// tally counts what is read through it. The HTTP client may still be reading a request's
// body when the answer is there.
type tally struct {
	from io.Reader
	n    atomic.Int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.n.Add(int64(n))
	return n, err
}
