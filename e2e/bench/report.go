package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"text/tabwriter"
)

// Report is what a run has found.
type Report struct {
	Quick  bool     `json:"quick"` // less was moved, in fewer rounds: no proof of a target
	Server string   `json:"server"`
	Go     string   `json:"go"`
	CPUs   int      `json:"cpus"`
	Rows   []Row    `json:"rows"`
	Errors []string `json:"errors,omitempty"` // of cases that could not run
}

func newReport(e *Env) Report {
	return Report{Quick: e.Quick, Server: e.Server, Go: runtime.Version(), CPUs: runtime.NumCPU()}
}

// Print writes the table.
func (r Report) Print(w io.Writer) error {
	fmt.Fprintf(w, "%s, %d CPUs, store: %s\n", r.Go, r.CPUs, r.Server)
	if r.Quick {
		fmt.Fprintln(w, "quick: less is moved, in fewer rounds; no proof of a target")
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "work\tfigure\tmedian\tspread\tlimit\t\t")
	missed := 0
	for _, row := range r.Rows {
		if !row.Met() {
			missed++
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Work, row.Figure,
			number(row.Median(), row.Unit), number(row.Spread(), row.Unit), row.limit(), row.verdict(), row.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, text := range r.Errors {
		fmt.Fprintln(w, "could not run:", text)
	}
	_, err := fmt.Fprintf(w, "%d figures, %d missed, %d cases could not run\n", len(r.Rows), missed, len(r.Errors))
	return err
}

// JSON writes the report to a file.
func (r Report) JSON(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func (r Row) limit() string {
	switch {
	case r.Target == nil:
		return ""
	case r.Target.AtLeast:
		return ">= " + number(r.Target.Limit, r.Unit)
	}
	return "<= " + number(r.Target.Limit, r.Unit)
}

func (r Row) verdict() string {
	switch {
	case r.Target == nil:
		return "told"
	case r.Met():
		return "pass"
	}
	return "MISS"
}

// number has three digits that count, or all of those before the point.
func number(v float64, unit string) string {
	text := strconv.FormatFloat(v, 'g', 3, 64)
	if v >= 100 || v <= -100 {
		text = strconv.FormatFloat(v, 'f', 0, 64)
	}
	if unit != "" {
		text += " " + unit
	}
	return text
}
