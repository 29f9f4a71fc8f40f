package sim

import "strings"

// landmarks are what happens in simulations that are long enough: a test that never comes
// there proves nothing.
func landmarks() []string {
	return []string{
		"stored", "stored after what was parked", "stored after what a process that was killed has left",
		"stored after an object", "stored beside an object", "stored in the place of another",
		"stored and its answer lost", "stored after QUIT", "stored for a client that has gone",
		"parked", "renamed", "copied with its directory", "discarded",
		"written to a register", "read from a register",
	}
}

// countCommit counts what an upload was.
func (w *world) countCommit(u *upload, o *op, key string) {
	w.seen["stored"]++
	from := w.bucket.parked[u.options.Resume]
	for what, is := range map[string]bool{
		"stored after what was parked":                         from != nil && from.over,
		"stored after what a process that was killed has left": from != nil && !from.over,
		"stored after an object":                               u.onto != nil,
		"stored beside an object":                              key != o.key,
		"stored in the place of another":                       !w.bucket.now(key).absent,
		"stored after QUIT":                                    o.session.leaving,
		"stored for a client that has gone":                    o.session.over || o.session.cutting,
	} {
		if is {
			w.seen[what]++
		}
	}
	if strings.HasPrefix(key, "s/r") {
		w.seen["written to a register"]++
	}
}
