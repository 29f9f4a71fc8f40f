//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"sync"

	"causeway/e2e/faults"
)

// faultRow is what has come of one cell.
type faultRow struct {
	cell     *faultCell
	reply    string // the final one
	bucket   string // what it held then
	requests faults.Traffic
	after    string // what ended the command when the fault was gone
	failed   bool
}

// faultTable gathers the cells.
type faultTable struct {
	verbs map[string][]faultVerb // by kind of store
	mu    sync.Mutex
	rows  map[string]faultRow
}

func (f *faultTable) add(r faultRow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows = map[string]faultRow{}
	}
	f.rows[r.cell.name()] = r
}

// print is one line for each store and fault, one column for each command.
func (f *faultTable) print(w io.Writer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	const form = "%-15s"
	fmt.Fprintf(w, "\nfaults of the store: reply, what the bucket holds (for reads: =), requests; * goes on with what was parked\n")
	for _, kind := range []string{"s3", "gcs", "azure"} {
		fmt.Fprintf(w, "%-31s", kind)
		for _, verb := range f.verbs[kind] {
			fmt.Fprintf(w, form, verb.name)
		}
		fmt.Fprintln(w)
		for _, fault := range storeFaults() {
			line, met := "", false
			for _, verb := range f.verbs[kind] {
				r, ok := f.rows[(&faultCell{kind: kind, fault: fault, verb: verb}).name()]
				line += fmt.Sprintf(form, r.text(ok))
				met = met || ok
			}
			if met {
				fmt.Fprintf(w, "  %-29s%s\n", fault.name, line)
			}
		}
	}
	fmt.Fprintln(w)
}

func (r faultRow) text(met bool) string {
	if !met {
		return "-"
	}
	text := fmt.Sprintf("%s %s %d", r.reply, r.bucket, r.requests.Sum().Requests)
	if r.after == "resumed" {
		text += "*"
	}
	if r.failed {
		text += " FAIL"
	}
	return text
}
