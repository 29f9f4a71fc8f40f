package main

import (
	"encoding/json"
	"strings"
	"time"

	"causeway/gateway/migrate"
)

// jsonLines are for programs: an object for each file that is not the same, one at times for
// how far it is, and one at the end.
type jsonLines struct{ to *json.Encoder }

type jsonEvent struct {
	Event   string `json:"event"` // file
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	Octets  int64  `json:"octets"`
	Error   string `json:"error,omitempty"`
}

type jsonProgress struct {
	Event   string  `json:"event"` // progress
	Files   int64   `json:"files"` // that are settled
	Octets  int64   `json:"octets"`
	Failed  int64   `json:"failed"`
	Rate    int64   `json:"rate"` // octets a second
	Seconds float64 `json:"seconds"`
}

type jsonCount struct {
	Files  int64 `json:"files"`
	Octets int64 `json:"octets"`
}

type jsonReport struct {
	Event       string               `json:"event"` // report
	Counts      map[string]jsonCount `json:"counts"`
	Directories int64                `json:"directories"`
	Failures    []jsonEvent          `json:"failures,omitempty"` // the first of them
	LeftOut     *jsonLeftOut         `json:"left_out,omitempty"`
	Complete    bool                 `json:"complete"`
	Error       string               `json:"error,omitempty"`
}

type jsonLeftOut struct {
	Names    int64            `json:"names"`
	Reasons  map[string]int64 `json:"reasons"`
	Examples []jsonExample    `json:"examples"` // the first
}

type jsonExample struct {
	Directory string `json:"directory"`
	Line      string `json:"line"`
}

func (t *jsonLines) every() time.Duration { return often }
func (t *jsonLines) counts() bool         { return false }

func (t *jsonLines) progress(s standing) {
	// Here and below: who has closed the output does not want to know.
	_ = t.to.Encode(jsonProgress{"progress", s.files, s.octets, s.failed, int64(s.rate), s.took.Seconds()})
}

func (t *jsonLines) event(e migrate.Event) {
	if e.Outcome != migrate.Same {
		_ = t.to.Encode(jsonOf(e))
	}
}

func jsonOf(e migrate.Event) jsonEvent {
	line := jsonEvent{Event: "file", Name: e.Name, Outcome: word(e.Outcome), Octets: e.Size}
	if e.Err != nil {
		line.Error = e.Err.Error()
	}
	return line
}

func (t *jsonLines) report(r migrate.Report, err error) {
	line := jsonReport{Event: "report", Counts: make(map[string]jsonCount), Directories: r.Directories, Complete: err == nil && r.Complete()}
	for _, o := range outcomes() {
		c := r.Counts[o]
		line.Counts[word(o)] = jsonCount(c)
	}
	for _, e := range r.Failures {
		line.Failures = append(line.Failures, jsonOf(e))
	}
	if r.LeftOut.Names > 0 {
		line.LeftOut = jsonOfLeftOut(r.LeftOut)
	}
	if err != nil {
		line.Error = err.Error()
	}
	_ = t.to.Encode(line)
}

func jsonOfLeftOut(l migrate.LeftOut) *jsonLeftOut {
	left := jsonLeftOut{Names: l.Names, Reasons: make(map[string]int64)}
	for _, reason := range reasons() {
		if n := l.Reasons[reason]; n > 0 {
			left.Reasons[word(reason)] = n
		}
	}
	for _, e := range l.Examples {
		left.Examples = append(left.Examples, jsonExample(e))
	}
	return &left
}

// word is an outcome or a reason as one word for programs.
func word[T migrate.Outcome | migrate.Reason](text T) string {
	return strings.ReplaceAll(string(text), " ", "_")
}
