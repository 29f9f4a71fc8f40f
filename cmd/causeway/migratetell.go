package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"causeway/gateway/migrate"
)

// newTeller tells the console, as the flags and the console ask for.
func (m *migrating) newTeller(c console) teller {
	if m.json {
		return &jsonLines{json.NewEncoder(c.stdout)}
	}
	lines := plainLines{out: c.stdout, notes: c.stderr}
	if s, ok := c.stderr.(*statusLine); ok {
		return &barLines{lines, s}
	}
	return &lines
}

// outcomes are all, in the order in which they are reported.
func outcomes() []migrate.Outcome {
	return []migrate.Outcome{
		migrate.Copied, migrate.Same, migrate.Kept, migrate.Deleted, migrate.Vanished, migrate.Extra,
		migrate.Missing, migrate.Stale, migrate.Differs, migrate.Ahead, migrate.Changed, migrate.Failed,
	}
}

// often is how often progress is told where it stays.
const often = 10 * time.Second

// plainLines are for people and logs. What was copied, or is the same, is only counted.
type plainLines struct {
	out   io.Writer // what has become of the files
	notes io.Writer // how far it is
}

func (t *plainLines) every() time.Duration { return often }
func (t *plainLines) counts() bool         { return false }

func (t *plainLines) progress(s standing) {
	fmt.Fprintf(t.notes, "after %s: %s\n", s.took.Round(time.Second), s)
}

func (t *plainLines) event(e migrate.Event) {
	if e.Outcome == migrate.Copied || e.Outcome == migrate.Same {
		return
	}
	fmt.Fprintf(t.out, "%s: %s\n", e.Outcome, escape(reason(e)))
}

func reason(e migrate.Event) string {
	if e.Err == nil {
		return e.Name
	}
	return e.Name + ": " + strings.ReplaceAll(e.Err.Error(), "\n", " | ")
}

func (t *plainLines) report(r migrate.Report, err error) {
	for _, o := range outcomes() {
		if c := r.Counts[o]; c.Files > 0 || o == migrate.Copied || o == migrate.Same {
			fmt.Fprintf(t.out, "%-21s %9d files %12s\n", o, c.Files, octets(c.Octets))
		}
	}
	if r.Directories > 0 {
		fmt.Fprintf(t.out, "%-21s %9d\n", "directories", r.Directories)
	}
	if r.LeftOut.Names > 0 {
		fmt.Fprintf(t.out, "%-21s %9d names\n", "left out", r.LeftOut.Names)
	}
	if len(r.Failures) > 0 {
		fmt.Fprintln(t.out, "what has failed:")
	}
	for _, e := range r.Failures {
		fmt.Fprintf(t.out, "  %s: %s\n", e.Outcome, escape(reason(e)))
	}
	if more := failures(r) - int64(len(r.Failures)); more > 0 {
		fmt.Fprintf(t.out, "  and %d more, told above\n", more)
	}
	t.leftOut(r.LeftOut)
	switch {
	case err != nil:
		fmt.Fprintln(t.out, "it has ended before all was looked at")
	case r.Complete():
		fmt.Fprintln(t.out, "the target has all that the source has")
	}
}

// reasons are all, in the order in which they are reported.
func reasons() []migrate.Reason {
	return []migrate.Reason{migrate.Undecodable, migrate.Unsafe, migrate.Unparsed, migrate.TooLong, migrate.Linked, migrate.Closed}
}

func (t *plainLines) leftOut(l migrate.LeftOut) {
	if l.Names > 0 {
		fmt.Fprintln(t.out, "what is left out:")
	}
	for _, reason := range reasons() {
		if n := l.Reasons[reason]; n > 0 {
			fmt.Fprintf(t.out, "  %d %s\n", n, reason)
		}
	}
	for _, e := range l.Examples {
		fmt.Fprintf(t.out, "  in %s, such as %s\n", escape(e.Directory), e.Line)
	}
}

// failures counts all that has failed.
func failures(r migrate.Report) (n int64) {
	for o, c := range r.Counts {
		if (migrate.Event{Outcome: o}).Fails() {
			n += c.Files
		}
	}
	return n
}

// octets is a number of them for people.
func octets(n int64) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for ; f >= 1024 && unit < len(units)-1; unit++ {
		f /= 1024
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}
