//go:build e2e

package e2e

import (
	"net/http"
	"slices"
	"strings"

	"causeway/e2e/faults"
)

// storeFault is a fault of a store: what it does to which requests of a command, and what
// may come of that.
type storeFault struct {
	name  string
	waits bool                             // for a time-out of the gateway's
	kinds []string                         // of stores; nil for all
	rules func(c *faultCell) []faults.Rule // none if the fault cannot meet the command
	want  func(c *faultCell) faultOutcome
	limit int // of requests, beyond those that the command makes anyway
}

// faultOutcome is what may come of a command.
type faultOutcome struct {
	replies []string
	holds   []string
}

func (f storeFault) meets(c *faultCell) bool {
	if c.kind == "gcs" && c.verb.name == "APPE" && strings.HasPrefix(f.name, "answer") {
		// fake-gcs-server ignores the condition of compose, which would keep a repeated
		// request from adding twice.
		return false
	}
	return (f.kinds == nil || slices.Contains(f.kinds, c.kind)) && len(f.rules(c)) > 0
}

// most is how many requests the command may make.
func (f storeFault) most(c *faultCell) int {
	usual := 8
	if c.verb.uploads() {
		usual = 25
	}
	return usual + f.limit
}

// served: as if there had been no fault.
func served(c *faultCell) faultOutcome { return faultOutcome{[]string{c.verb.done}, []string{"new"}} }

// later: nothing has happened, and it may work another time.
func later(c *faultCell) faultOutcome {
	replies := []string{"450"}
	switch {
	case c.verb.uploads(), c.verb.name == "RETR":
		replies = []string{"450", "451"}
	case c.verb.name == "NLST":
		replies = []string{"451"}
	}
	return faultOutcome{replies, []string{"old"}}
}

// refused: nothing has happened, nor will it. A store that forbids to look shows nothing
// (S43): a listing is empty, there is nothing to go on with, and STOR is told at its end.
func refused(c *faultCell) faultOutcome {
	replies, holds := []string{"550"}, []string{"old"}
	switch {
	case strings.HasPrefix(c.verb.name, "REST"):
		replies = []string{"554"}
	case c.verb.uploads():
		replies = []string{"451"}
	case c.verb.name == "NLST":
		replies, holds = []string{"226"}, []string{"old", "empty"}
	case c.verb.name == "RNTO":
		replies = []string{"553"}
	}
	return faultOutcome{replies, holds}
}

// unknown: either, and the client is told that it is not certain.
func unknown(c *faultCell) faultOutcome {
	o := later(c)
	return faultOutcome{append(o.replies, c.verb.done), []string{"old", "new"}}
}

// all strikes every request, n of them.
func all(n int, of func(kind string) faults.Answer) func(*faultCell) []faults.Rule {
	return func(c *faultCell) []faults.Rule {
		return []faults.Rule{{Count: n, Fault: faults.Instead(of(c.kind))}}
	}
}

// on strikes n of the requests that which names.
func on(which func(faultVerb) []string, n int, fault func(kind string) faults.Fault) func(*faultCell) []faults.Rule {
	return func(c *faultCell) []faults.Rule {
		operations := which(c.verb)
		if len(operations) == 0 {
			return nil
		}
		match := func(r *http.Request) bool { return slices.Contains(operations, operationOf(c.kind, r)) }
		return []faults.Rule{{Match: match, Count: n, Fault: fault(c.kind)}}
	}
}

func operationOf(kind string, r *http.Request) string {
	switch kind {
	case "gcs":
		return faults.GCSOperation(r)
	case "azure":
		return faults.AzureOperation(r)
	}
	return faults.S3Operation(r)
}

func mains(v faultVerb) []string   { return v.main }
func reads(v faultVerb) []string   { return v.read }
func commits(v faultVerb) []string { return v.commit }

// sends is what carries octets to the store.
func sends(v faultVerb) []string {
	if !v.uploads() {
		return nil
	}
	return v.main
}

// says is an answer in the words of each store.
func says(status int, s3, gcs, azure string) func(kind string) faults.Answer {
	return func(kind string) faults.Answer {
		switch kind {
		case "gcs":
			return faults.GCSError(status, gcs)
		case "azure":
			return faults.AzureError(status, azure)
		}
		return faults.S3Error(status, s3)
	}
}

func the(f faults.Fault) func(string) faults.Fault {
	return func(string) faults.Fault { return f }
}

func storeFaults() []storeFault {
	slow := says(http.StatusServiceUnavailable, "SlowDown", "backendError", "ServerBusy")
	broken := says(http.StatusInternalServerError, "InternalError", "backendError", "InternalError")
	s3 := []string{"s3"}
	s3OrAzure := []string{"s3", "azure"}
	errorIn200 := func(string) faults.Fault { return faults.Instead(faults.S3Error(http.StatusOK, "InternalError")) }
	return []storeFault{
		{name: "503 burst", rules: all(5, slow), want: served, limit: 8},
		{name: "500 burst", kinds: s3, rules: all(2, broken), want: served, limit: 6},
		{name: "503 for good", waits: true, rules: all(faults.Always, slow), want: later, limit: 120},
		{name: "500 for good", kinds: s3, waits: true, rules: all(faults.Always, broken), want: later, limit: 60},
		{name: "reset in a request", rules: on(mains, 1, the(faults.ResetBefore())), want: served, limit: 6},
		{name: "no answer", waits: true, rules: on(mains, faults.Always, the(faults.Silent())), want: later, limit: 6},
		{name: "truncated body", rules: on(reads, 1, the(faults.Truncate(100))), want: served, limit: 6},
		// Azurite calls a wrong MD5 an invalid operation, and tells none of the blocks it has.
		{name: "octet flipped upwards", kinds: []string{"s3", "gcs"}, rules: on(sends, 1, the(faults.FlipUp(500))), want: served, limit: 6},
		{name: "credentials expired 400", kinds: s3, waits: true, rules: all(faults.Always, says(http.StatusBadRequest, "ExpiredToken", "", "")), want: later, limit: 20},
		{name: "credentials expired 403", kinds: s3, waits: true, rules: all(faults.Always, says(http.StatusForbidden, "ExpiredToken", "", "")), want: later, limit: 20},
		{name: "credentials revoked", kinds: s3, waits: true, rules: all(faults.Always, says(http.StatusForbidden, "InvalidAccessKeyId", "", "")), want: later, limit: 20},
		{name: "forbidden", rules: all(faults.Always, says(http.StatusForbidden, "AccessDenied", "forbidden", "AuthorizationPermissionMismatch")), want: refused, limit: 6},
		{name: "bucket gone", kinds: s3OrAzure, waits: true, rules: all(faults.Always, says(http.StatusNotFound, "NoSuchBucket", "", "ContainerNotFound")), want: later, limit: 20},
		{name: "clock skewed", kinds: s3, waits: true, rules: all(faults.Always, says(http.StatusForbidden, "RequestTimeTooSkewed", "", "")), want: later, limit: 20},
		{name: "answer lost", rules: on(commits, 1, the(faults.ResetAfter())), want: served, limit: 6},
		{name: "answers lost", rules: on(commits, faults.Always, the(faults.ResetAfter())), want: unknown, limit: 20},
		{name: "200 with an error", kinds: s3, rules: on(joins, 1, errorIn200), want: served, limit: 6},
		{name: "200 with errors", kinds: s3, rules: on(joins, faults.Always, errorIn200), want: later, limit: 20},
	}
}

// joins are the requests that can fail with 200.
func joins(v faultVerb) []string {
	return slices.DeleteFunc(slices.Clone(v.commit), func(o string) bool { return o != "CompleteMultipartUpload" && o != "CopyObject" })
}
