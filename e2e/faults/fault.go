package faults

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Always as [Rule.Count] is no end.
const Always = -1

// Rule says which requests a fault strikes.
type Rule struct {
	Match func(*http.Request) bool // nil for every request
	Nth   int                      // the first of those that match to be struck, counted from 1; 0 is 1
	Count int                      // how many are, from that on; 0 is 1
	Fault Fault
}

// Fault is what becomes of a request. The zero value is nothing.
type Fault struct {
	before func(*exchange) bool                 // false if the request is not passed on
	up     func(io.Reader) io.Reader            // the request's body on its way
	after  func(*exchange, *http.Response) bool // false if the store's answer is not passed back
	down   func(io.Reader) io.Reader            // the answer's body on its way
}

// Injection is a rule at work.
type Injection struct {
	proxy *HTTPProxy
	rule  Rule
	free  sync.Once
	drop  sync.Once

	// Guarded by the proxy's mu.
	matched, hits int
	hit           chan struct{} // closed with the first hit that is there to be seen
	released      chan struct{}
	dropped       chan struct{}
	told          sync.Once
}

// Inject lets a rule strike from now on. Of several that match a request the one that was
// injected first strikes.
func (p *HTTPProxy) Inject(r Rule) *Injection {
	i := &Injection{proxy: p, rule: r, hit: make(chan struct{}), released: make(chan struct{}), dropped: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.injections = append(p.injections, i)
	return i
}

// struck finds what strikes a request, or nil.
func (p *HTTPProxy) struck(r *http.Request) *Injection {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.injections {
		if i.rule.Match != nil && !i.rule.Match(r) {
			continue
		}
		i.matched++
		if i.matched >= max(i.rule.Nth, 1) && (i.rule.Count == Always || i.hits < max(i.rule.Count, 1)) {
			i.hits++
			return i
		}
	}
	return nil
}

// Is matches requests by the names of their operations.
func (p *HTTPProxy) Is(operations ...string) func(*http.Request) bool {
	return func(r *http.Request) bool { return slices.Contains(operations, p.operation(r)) }
}

// Hit is closed when the fault has struck: a request that is held, or will never be
// answered, is so by then.
func (i *Injection) Hit() <-chan struct{} { return i.hit }

// Hits is how many requests have been struck.
func (i *Injection) Hits() int {
	i.proxy.mu.Lock()
	defer i.proxy.mu.Unlock()
	return i.hits
}

// Remove ends the rule; what it holds goes on. It may be called again.
func (i *Injection) Remove() {
	i.free.Do(func() { close(i.released) })
	i.proxy.mu.Lock()
	defer i.proxy.mu.Unlock()
	i.proxy.injections = slices.DeleteFunc(i.proxy.injections, func(other *Injection) bool { return other == i })
}

// Drop ends the rule; what it holds goes nowhere, as if it had been seen already that its
// client has died.
func (i *Injection) Drop() {
	i.drop.Do(func() { close(i.dropped) })
	i.Remove()
}

// tell says that the fault has struck.
func (i *Injection) tell() { i.told.Do(func() { close(i.hit) }) }

// Answer is an answer that a fault gives.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// S3Error is an error in the words of S3, as S3Error(503, "SlowDown").
func S3Error(status int, code string) Answer {
	return Answer{status, http.Header{"Content-Type": {"application/xml"}}, fmt.Sprintf(
		`<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>injected by a test</Message></Error>`, code)}
}

// GCSError is an error in the words of Google's JSON API, as GCSError(429, "rateLimitExceeded").
func GCSError(status int, reason string) Answer {
	return Answer{status, http.Header{"Content-Type": {"application/json"}}, fmt.Sprintf(
		`{"error":{"code":%d,"message":"injected by a test","errors":[{"domain":"global","reason":%q,"message":"injected by a test"}]}}`, status, reason)}
}

// AzureError is an error in the words of Azure, as AzureError(503, "ServerBusy").
func AzureError(status int, code string) Answer {
	return Answer{status, http.Header{"Content-Type": {"application/xml"}, "X-Ms-Error-Code": {code}}, fmt.Sprintf(
		`<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>injected by a test</Message></Error>`, code)}
}

// send gives the answer to the client.
func (a Answer) send(e *exchange) {
	e.injection.tell()
	for name, values := range a.Header {
		e.w.Header()[name] = values
	}
	e.w.Header().Set("Content-Length", fmt.Sprint(len(a.Body)))
	e.w.WriteHeader(a.Status)
	_, _ = io.Copy(e.w, strings.NewReader(a.Body)) // the client may have gone
}
