package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"causeway/gateway/migrate"
)

// telling is how a migration is told.
type telling interface {
	report(migrate.Report, error)
}

// newTelling makes the options tell the console.
func (m *migrating) newTelling(c console) telling {
	if m.json {
		t := &jsonLines{json.NewEncoder(c.stdout)}
		m.options.Tell = t.event
		return t
	}
	t := &plainLines{out: c.stdout, copied: m.options.DryRun}
	m.options.Tell = t.event
	return t
}

// outcomes are all, in the order in which they are reported.
func outcomes() []migrate.Outcome {
	return []migrate.Outcome{
		migrate.Copied, migrate.Same, migrate.Kept, migrate.Deleted, migrate.Vanished, migrate.Extra,
		migrate.Missing, migrate.Stale, migrate.Differs, migrate.Changed, migrate.Failed,
	}
}

// plainLines are for people and logs. What was copied is only counted.
type plainLines struct {
	out    io.Writer
	copied bool
}

func (t *plainLines) event(e migrate.Event) {
	if e.Outcome == migrate.Copied {
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
		fmt.Fprintf(t.out, "%-21s %9d\n", "empty directories", r.Directories)
	}
	switch {
	case err != nil:
		fmt.Fprintln(t.out, "it has ended before all was looked at")
	case r.Complete():
		fmt.Fprintln(t.out, "the target has all that the source has")
	}
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

// jsonLines are for programs: one object for each file, and one at the end.
type jsonLines struct{ to *json.Encoder }

type jsonEvent struct {
	Event   string `json:"event"` // file
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	Octets  int64  `json:"octets"`
	Error   string `json:"error,omitempty"`
}

type jsonCount struct {
	Files  int64 `json:"files"`
	Octets int64 `json:"octets"`
}

type jsonReport struct {
	Event       string               `json:"event"` // report
	Counts      map[string]jsonCount `json:"counts"`
	Directories int64                `json:"directories"`
	Complete    bool                 `json:"complete"`
	Error       string               `json:"error,omitempty"`
}

func (t *jsonLines) event(e migrate.Event) {
	line := jsonEvent{Event: "file", Name: e.Name, Outcome: word(e.Outcome), Octets: e.Size}
	if e.Err != nil {
		line.Error = e.Err.Error()
	}
	_ = t.to.Encode(line) // who has closed the output does not want to know
}

func (t *jsonLines) report(r migrate.Report, err error) {
	line := jsonReport{Event: "report", Counts: make(map[string]jsonCount), Directories: r.Directories, Complete: err == nil && r.Complete()}
	for _, o := range outcomes() {
		c := r.Counts[o]
		line.Counts[word(o)] = jsonCount(c)
	}
	if err != nil {
		line.Error = err.Error()
	}
	_ = t.to.Encode(line) // as above
}

// word is an outcome as one word for programs.
func word(o migrate.Outcome) string { return strings.ReplaceAll(string(o), " ", "_") }
