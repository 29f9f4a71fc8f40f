package migrate

import (
	"strings"
	"sync"
)

// Outcome is what has become of a file, or how the two sides differ in it.
type Outcome string

// The outcomes. Only the last six keep the target from having all that the source has.
const (
	Same     Outcome = "same"
	Copied   Outcome = "copied"
	Kept     Outcome = "newer at the target" // which has another size: a client has written it there
	Deleted  Outcome = "deleted at the target"
	Vanished Outcome = "deleted at the source" // since it was listed
	Extra    Outcome = "only at the target"

	Changed Outcome = "changed meanwhile" // it was read twice, and was another version each time
	Failed  Outcome = "failed"
	Missing Outcome = "missing at the target"
	Stale   Outcome = "older at the target"
	Differs Outcome = "of other content"
	Ahead   Outcome = "of another size and dated in the future" // which of the two is newer nobody knows
)

// copies tells whether the file is to be copied.
func (o Outcome) copies() bool { return o == Missing || o == Stale }

// lacks tells whether the target has not got what the source has.
func (o Outcome) lacks() bool {
	return o == Changed || o == Failed || o == Missing || o == Stale || o == Differs || o == Ahead
}

// Event is one file that is settled.
type Event struct {
	Name    string // below both prefixes; of a directory it ends in "/"
	Outcome Outcome
	Size    int64 // octets at the source, of [Extra] at the target
	Err     error // why, of Failed and Differs; nil otherwise
}

// Directory tells whether it is no file.
func (e Event) Directory() bool { return strings.HasSuffix(e.Name, "/") }

// Fails tells whether all was done that could be, and the target lacks the file all the same.
func (e Event) Fails() bool {
	return e.Outcome == Changed || e.Outcome == Failed || e.Outcome == Differs || e.Outcome == Ahead
}

// Count is of files and their octets.
type Count struct {
	Files, Octets int64
}

// maxFailures is how many failures a report repeats; all were told.
const maxFailures = 20

// Report is what has become of all files.
type Report struct {
	Counts      map[Outcome]Count // directories are not counted, but those that failed
	Directories int64             // that were made, or are to be
	Lacking     int64             // names of which the target has not got what the source has
	Failures    []Event           // the first of them that a copy or a look has failed with
	LeftOut     LeftOut           // for who opens the stores to tell: an engine does not hear of it
}

// Complete tells whether the target has all that the source has, but for what is newer or was
// deleted there.
func (r Report) Complete() bool { return r.Lacking == 0 && r.LeftOut.Names == 0 }

// LeftOut is what the source has and its listings do not show, so that nobody can copy it.
type LeftOut struct {
	Names    int64            // each may be a file, or a directory with whatever is in it
	Reasons  map[Reason]int64 // how many of them for each
	Examples []Example        // the first
}

// Reason is why something is left out.
type Reason string

// The reasons.
const (
	Undecodable Reason = "not of the charset"
	Unsafe      Reason = "with characters that no name may have" // "/", NUL, CR or LF
	Unparsed    Reason = "in a line of an unknown form"
	TooLong     Reason = "longer than a key may be"
	Linked      Reason = "linking to a directory"
	Closed      Reason = "linking to what the server's user may not see"
)

// Example is one name that is left out.
type Example struct {
	Directory string // at the server
	Line      string // of its listing, or a name, quoted
}

// Add counts what else is left out of a directory, and repeats the example if there is room.
func (l *LeftOut) Add(reasons map[Reason]int64, e Example) {
	if l.Reasons == nil {
		l.Reasons = make(map[Reason]int64)
	}
	for reason, n := range reasons {
		l.Reasons[reason] += n
		l.Names += n
	}
	if len(l.Examples) < maxFailures {
		l.Examples = append(l.Examples, e)
	}
}

// teller keeps the report. It is safe for concurrent use.
type teller struct {
	mu     sync.Mutex
	report Report
	tell   func(Event)
}

func (t *teller) settled(p pair, v Outcome, err error) {
	e := Event{Name: p.name, Outcome: v, Err: err}
	if p.from != nil {
		e.Size = p.from.Size
	} else if p.to != nil {
		e.Size = p.to.Size
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.add(e)
	if t.tell != nil {
		t.tell(e)
	}
}

func (r *Report) add(e Event) {
	switch {
	case !e.Directory() || e.Outcome == Failed:
		if r.Counts == nil {
			r.Counts = make(map[Outcome]Count)
		}
		c := r.Counts[e.Outcome]
		c.Files, c.Octets = c.Files+1, c.Octets+e.Size
		r.Counts[e.Outcome] = c
	case e.Outcome == Copied || e.Outcome == Missing:
		r.Directories++
	}
	if e.Outcome.lacks() {
		r.Lacking++
	}
	if e.Fails() && len(r.Failures) < maxFailures {
		r.Failures = append(r.Failures, e)
	}
}
