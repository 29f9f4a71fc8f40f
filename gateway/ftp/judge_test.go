package ftp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestS11_Judge(t *testing.T) {
	wrapped := fmt.Errorf("read: %w", io.EOF)
	for _, tt := range []struct {
		name string
		e    evidence
		want error
	}{
		{"plain", evidence{end: io.EOF}, nil},
		{"reset", evidence{end: syscall.ECONNRESET}, errDataLost},
		{"broken, and the error says so of its end", evidence{end: wrapped}, errDataLost},
		{"within a TLS record", evidence{end: io.ErrUnexpectedEOF, protected: true}, errDataLost},
		{"stalled", evidence{end: os.ErrDeadlineExceeded}, errStalled},
		{"close_notify", evidence{end: io.EOF, protected: true, notified: true}, nil},
		{"no close_notify, never seen one", evidence{end: io.EOF, protected: true}, nil},
		{"no close_notify, seen one", evidence{end: io.EOF, protected: true, proper: true}, errCutOff},
		{"in clear, seen a close_notify", evidence{end: io.EOF, proper: true}, nil},
		{"ABOR", evidence{end: io.EOF, cause: errAborted}, errAborted},
		{"control connection gone", evidence{end: io.EOF, protected: true, notified: true, cause: errVanished}, errVanished},
		{"gone and reset", evidence{end: syscall.ECONNRESET, cause: errVanished}, errVanished},
		{"gone and the store failed", evidence{failed: ErrUnavailable, cause: errVanished}, ErrUnavailable},
		{"records without their end", evidence{end: io.EOF, whole: io.ErrUnexpectedEOF}, errCutOff},
		{"the store failed", evidence{failed: ErrUnavailable}, ErrUnavailable},
		{"fewer than announced", evidence{end: io.EOF, octets: 5, announced: 6, policy: Policy{EnforceALLO: true}}, errShort},
		{"fewer than announced, which is no promise", evidence{end: io.EOF, octets: 5, announced: 6}, nil},
		{"more than announced", evidence{end: io.EOF, octets: 7, announced: 6, policy: Policy{EnforceALLO: true}}, nil},
	} {
		if err := judge(tt.e); !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// allEvidence is every combination of what can be known.
func allEvidence() iter.Seq[evidence] {
	return func(yield func(evidence) bool) {
		for n := range 3 * 2 * 3 * 4 * 4 * 2 * 2 * 5 * 3 {
			pick := func(choices int) int {
				i := n % choices
				n /= choices
				return i
			}
			e := evidence{
				policy: Policy{CloseNotify: CloseNotify(pick(3)), EnforceALLO: pick(2) == 1, Incomplete: Incomplete(pick(3))},
				end:    []error{io.EOF, syscall.ECONNRESET, os.ErrDeadlineExceeded, nil}[pick(4)],
				octets: 10,
			}
			tls := pick(4)
			e.protected, e.notified, e.proper = tls > 0, tls == 1 && atEnd(e.end), tls == 3
			e.whole = []error{nil, io.ErrUnexpectedEOF}[pick(2)]
			e.announced = []int64{0, 11}[pick(2)]
			e.cause = []error{nil, errAborted, errVanished, errFlooded, errStopping}[pick(5)]
			if failure := pick(3); e.end == nil {
				e.failed = []error{ErrUnavailable, ErrQuota, errRecord}[failure]
			}
			if !yield(e) {
				return
			}
		}
	}
}

// TestS11_NothingButAllOfItIsComplete: one sign of a cut-off is enough.
func TestS11_NothingButAllOfItIsComplete(t *testing.T) {
	complete := 0
	for e := range allEvidence() {
		silent := e.protected && !e.notified
		signs := []bool{
			!atEnd(e.end),
			e.failed != nil,
			e.cause != nil,
			e.whole != nil,
			silent && e.policy.CloseNotify == RequireCloseNotify,
			silent && e.policy.CloseNotify == AutoCloseNotify && e.proper,
			e.policy.EnforceALLO && e.announced > e.octets,
		}
		cut := false
		for _, sign := range signs {
			cut = cut || sign
		}
		if err := judge(e); (err != nil) != cut {
			t.Fatalf("%+v: %v", e, err)
		}
		if !cut {
			complete++
		}
	}
	if complete == 0 {
		t.Error("nothing is complete")
	}
}

// TestS12_FateOfWhatIsNotComplete holds what may become of it against what must not.
func TestS12_FateOfWhatIsNotComplete(t *testing.T) {
	for e := range allEvidence() {
		verdict := judge(e)
		if verdict == nil {
			continue
		}
		for _, o := range []StoreOptions{{}, {Append: true}, {Offset: 5}} {
			for _, e.octets = range []int64{0, 10} {
				for _, e.changed = range []bool{false, true} {
					checkFate(t, verdict, e, o)
				}
			}
		}
	}
}

func checkFate(t *testing.T, verdict error, e evidence, o StoreOptions) {
	t.Helper()
	got, policy := fate(verdict, e, o), e.policy.Incomplete
	refused := e.cause == nil && (errors.Is(e.failed, ErrQuota) || errors.Is(e.failed, errRecord))
	switch {
	case e.octets == 0 && o.continues() && got != ParkIncomplete:
		t.Fatalf("what was there before is lost: %+v", e)
	case e.octets == 0 && !o.continues() && got != DiscardIncomplete:
		t.Fatalf("a file of nothing: %+v", e)
	case e.octets > 0 && policy == DiscardIncomplete && got != DiscardIncomplete:
		t.Fatalf("kept against the policy: %+v", e)
	case got == PublishIncomplete && (policy != PublishIncomplete || e.failed != nil || errors.Is(verdict, errStopping)):
		t.Fatalf("published: %+v", e)
	case got == ParkIncomplete && !o.continues() && (e.changed || refused):
		t.Fatalf("parked: %+v", e)
	case got == DiscardIncomplete && e.octets > 0 && policy != DiscardIncomplete && (o.continues() || !e.changed && !refused):
		t.Fatalf("discarded: %+v", e)
	}
}

func TestS12_Fates(t *testing.T) {
	publish := Policy{Incomplete: PublishIncomplete}
	for _, tt := range []struct {
		name string
		e    evidence
		o    StoreOptions
		want Incomplete
	}{
		{"ABOR", evidence{octets: 1, cause: errAborted}, StoreOptions{}, ParkIncomplete},
		{"published", evidence{octets: 1, policy: publish, cause: errVanished}, StoreOptions{}, PublishIncomplete},
		{"nothing came to be published", evidence{policy: publish, cause: errVanished}, StoreOptions{}, DiscardIncomplete},
		{"the store fails", evidence{octets: 1, policy: publish, failed: ErrUnavailable}, StoreOptions{}, ParkIncomplete},
		{"the server stops", evidence{octets: 1, policy: publish, cause: errStopping}, StoreOptions{}, ParkIncomplete},
		{"no room", evidence{octets: 1, failed: ErrQuota}, StoreOptions{}, DiscardIncomplete},
		{"no room for more", evidence{octets: 1, failed: ErrQuota}, StoreOptions{Append: true}, ParkIncomplete},
		{"not allowed", evidence{octets: 1, failed: fs.ErrPermission}, StoreOptions{}, DiscardIncomplete},
		{"a write that the end of the session has ended", evidence{octets: 1, failed: fs.ErrClosed, cause: errAborted}, StoreOptions{}, ParkIncomplete},
		{"TYPE A has changed it", evidence{octets: 2, changed: true, cause: errAborted}, StoreOptions{}, DiscardIncomplete},
		{"TYPE A has changed it, which is published", evidence{octets: 2, changed: true, cause: errAborted, policy: publish}, StoreOptions{}, PublishIncomplete},
	} {
		verdict := judge(tt.e)
		if verdict == nil {
			t.Fatalf("%s: complete", tt.name)
		}
		if got := fate(verdict, tt.e, tt.o); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestEvidenceInWords(t *testing.T) {
	for e := range allEvidence() {
		if words := e.String(); words == "" || strings.Contains(words, "%!") || strings.HasPrefix(words, ",") {
			t.Fatalf("%+v: %q", e, words)
		}
	}
	for want, e := range map[string]evidence{
		"data ended":                         {end: io.EOF},
		"data ended with close_notify, QUIT": {end: io.EOF, protected: true, notified: true, goodbye: true},
		"data ended without close_notify, 1 of 2 octets announced": {end: io.EOF, protected: true, octets: 1, announced: 2},
		"data not ended, aborted by ABOR":                          {end: fs.ErrClosed, cause: errAborted},
		"data reset, control connection ended during a transfer":   {end: syscall.ECONNRESET, cause: errVanished},
		"data broken off":                       {end: io.ErrUnexpectedEOF},
		"data stalled":                          {end: os.ErrDeadlineExceeded},
		"upload failed":                         {failed: ErrUnavailable},
		"data ended, structure without its end": {end: io.EOF, whole: io.ErrUnexpectedEOF},
	} {
		if got := e.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
