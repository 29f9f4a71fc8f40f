//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"causeway/e2e/faults"
)

// crashes is the gateway killed at each step of what changes a store. A step is a request
// that a proxy before the store holds, or its answer; the gateway is killed meanwhile, and
// another one finds what it has left.
type crashes struct {
	bucket *namedBucket
	naming func(*http.Request) string // nil for a directory, which no proxy can be before
	server string                     // scheme, host and port

	mu    sync.Mutex
	want  []string // keys that must be there in the end
	empty []string // keys that may have an upload without parts, which no record tells of
	table crashTable
}

// moment is when the gateway is killed.
type moment struct {
	name      string
	operation string // that the request is of; "" is none
	within    string // what its path has in it
	nth       int    // of the operation's, from 1; 0 is 1
	after     bool   // the store has carried the request out, and the answer is held
	late      bool   // the store carries the request out when the next gateway is there
	leaves    bool   // an upload without parts may stay, for which nothing is to pay
}

// rule holds the moment's request.
func (m moment) rule(p *faults.HTTPProxy) faults.Rule {
	fault := faults.HoldBefore()
	switch {
	case m.after:
		fault = faults.HoldAfter()
	case m.late:
		fault = faults.Late()
	}
	is := p.Is(m.operation)
	match := func(r *http.Request) bool { return is(r) && strings.Contains(r.URL.Path, m.within) }
	return faults.Rule{Match: match, Nth: m.nth, Fault: fault}
}

// newCrashes makes a bucket that nobody else uses.
func newCrashes(t *testing.T, kind string) *crashes {
	t.Helper()
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(buckets, func(b *namedBucket) bool { return b.kind == kind })
	c := &crashes{bucket: buckets[i]}
	server := ""
	switch kind {
	case "s3":
		c.naming, server = faults.S3Operation, shared.servers.S3
	case "gcs":
		c.naming, server = gcsOperation, shared.servers.GCS
	case "azure":
		c.naming, server = faults.AzureOperation, shared.servers.Azure
	default:
		return c
	}
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	c.server = at.Scheme + "://" + at.Host
	return c
}

// gcsOperation is faults.GCSOperation. It also puts the server's own name into the request:
// the server knows contents by the name of their host.
func gcsOperation(r *http.Request) string {
	r.Host = strings.TrimPrefix(shared.servers.GCS, "http://")
	return faults.GCSOperation(r)
}

// proxy stands before the bucket for one test.
func (c *crashes) proxy(t *testing.T) *faults.HTTPProxy {
	t.Helper()
	if c.naming == nil {
		return nil
	}
	p, err := faults.NewHTTPProxy(c.server, c.naming)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// gateway starts one on the bucket, through a proxy if there is one.
func (c *crashes) gateway(t *testing.T, p *faults.HTTPProxy, extra string) *gateway {
	t.Helper()
	b := *c.bucket
	if p != nil {
		b.config = strings.ReplaceAll(b.config, c.server, p.URL())
	}
	return start(t, setup{plain4: true, extra: extra, accounts: []account{{name: user, store: &b}}})
}

// session logs in to a gateway.
func (g *gateway) session(t testing.TB) *session {
	t.Helper()
	s := connect(t, g.address(false, false))
	s.login(user)
	return s
}

// kill ends the gateway as the kernel does.
func (g *gateway) kill(t testing.TB) {
	t.Helper()
	if err := g.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-g.exited
}

// expect notes keys that are to be there in the end.
func (c *crashes) expect(keys ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want = append(c.want, keys...)
}

// mayLeave notes a key that may have an upload without parts in the end, for which nothing
// is to pay: its gateway was killed before it had written down that there is one.
func (c *crashes) mayLeave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.empty = append(c.empty, key)
}

// crashing is one moment as it runs.
type crashing struct {
	*crashes
	moment
	t     *testing.T
	proxy *faults.HTTPProxy // nil where there is none
	held  *faults.Injection // nil where nothing is held
}

// begin starts the gateway that is to be killed, and the session whose command that is to
// cut short.
func (c *crashing) begin() (*gateway, *session) {
	c.t.Helper()
	c.proxy = c.crashes.proxy(c.t)
	g := c.gateway(c.t, c.proxy, "")
	s := g.session(c.t)
	if c.operation != "" {
		c.held = c.proxy.Inject(c.rule(c.proxy))
		c.t.Cleanup(c.held.Remove)
	}
	return g, s
}

// strike kills the gateway when the moment has come.
func (c *crashing) strike(g *gateway, s *session) {
	c.t.Helper()
	if c.held != nil {
		ctx, cancel := context.WithTimeout(c.t.Context(), patience)
		defer cancel()
		select {
		case <-c.held.Hit():
		case <-ctx.Done():
			c.t.Fatalf("%s does not come: %s\n%s\n%s", c.operation, c.proxy.Take(), s.said.String(), tailOf(g.log.String(), 20))
		}
	}
	g.kill(c.t)
	if c.held != nil && !c.late {
		c.held.Drop() // the proxy may not have seen yet that the gateway is gone
	}
}

// next is the gateway after the one that was killed.
func (c *crashing) next() *session {
	c.t.Helper()
	return c.gateway(c.t, c.proxy, "").session(c.t)
}
