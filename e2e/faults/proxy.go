// Package faults is what tests put between the gateway and a store server: an HTTP proxy
// that counts what passes, and lets happen to a request of the tester's choice what happens
// to one in a thousand in the field. It knows the operations of S3, Google's JSON API and
// Azure by name, and nothing of the gateway.
//
// Its central type is [HTTPProxy].
package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// HTTPProxy stands before one store server, on a loopback port of its own. It keeps the
// Host header, which the signatures of requests cover. All its methods may be called from
// any goroutine.
type HTTPProxy struct {
	target    *url.URL
	operation func(*http.Request) string
	transport *http.Transport
	server    *http.Server
	listener  net.Listener
	closed    chan struct{}
	rehosts   atomic.Bool

	mu         sync.Mutex
	injections []*Injection
	traffic    Traffic
	conns      int
}

// NewHTTPProxy starts a proxy before the server at target, as http://127.0.0.1:9000.
// operation names requests: [S3Operation], [GCSOperation] or [AzureOperation]. Close it
// after the gateways that use it have ended.
func NewHTTPProxy(target string, operation func(*http.Request) string) (*HTTPProxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("target of a proxy: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	p := &HTTPProxy{
		target: to, operation: operation, listener: listener, closed: make(chan struct{}), traffic: Traffic{},
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ConnState: p.count, ReadHeaderTimeout: time.Minute}
	go p.server.Serve(listener) //nolint:errcheck // it ends by Close
	return p, nil
}

// URL is where the proxy listens, as http://127.0.0.1:PORT.
func (p *HTTPProxy) URL() string { return "http://" + p.listener.Addr().String() }

// Rehost has requests name the target as their host from now on. Servers that tell objects
// from other resources by it need that; requests whose signature covers it bear it not.
func (p *HTTPProxy) Rehost() { p.rehosts.Store(true) }

// Close ends the proxy and every request in it.
func (p *HTTPProxy) Close() error {
	close(p.closed)
	err := p.server.Close()
	p.transport.CloseIdleConnections()
	return err
}

// count notes the connections that are made.
func (p *HTTPProxy) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns++
	}
}

// Connections is how many have been made to the proxy since its start.
func (p *HTTPProxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns
}

// Take tells what has passed since it was last called. A request counts when it arrives,
// its octets when it is over.
func (p *HTTPProxy) Take() Traffic {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.traffic
	p.traffic = Traffic{}
	return taken
}

// add notes traffic of an operation.
func (p *HTTPProxy) add(operation string, c Count) {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := p.traffic[operation]
	p.traffic[operation] = Count{sum.Requests + c.Requests, sum.Sent + c.Sent, sum.Received + c.Received}
}

// exchange is one request that passes.
type exchange struct {
	proxy     *HTTPProxy
	w         http.ResponseWriter
	r         *http.Request
	injection *Injection // nil for a request that nothing happens to
}

// serve is the proxy's handler.
func (p *HTTPProxy) serve(w http.ResponseWriter, r *http.Request) {
	operation := p.operation(r)
	p.add(operation, Count{Requests: 1})
	e := &exchange{proxy: p, w: w, r: r, injection: p.struck(r)}
	var fault Fault
	if e.injection != nil {
		fault = e.injection.rule.Fault
	}
	sent, received := &tally{}, &tally{}
	defer func() { p.add(operation, Count{Sent: sent.n.Load(), Received: received.n.Load()}) }()
	if fault.before != nil && !fault.before(e) {
		return
	}
	res, err := e.forward(fault, sent)
	if err != nil {
		panic(http.ErrAbortHandler) // the client sees what the proxy saw: a connection that broke
	}
	defer res.Body.Close() //nolint:errcheck // it was only read
	if fault.after != nil && !fault.after(e, res) {
		return
	}
	e.answer(fault, res, received)
}

// forward passes the request on.
func (e *exchange) forward(fault Fault, sent *tally) (*http.Response, error) {
	out := e.r.Clone(e.r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = e.proxy.target.Scheme, e.proxy.target.Host, ""
	out.Header.Del("Connection")
	if e.proxy.rehosts.Load() {
		out.Host = e.proxy.target.Host
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header.Set("User-Agent", "") // or the HTTP client would make one up
	}
	if e.r.ContentLength == 0 {
		out.Body = http.NoBody
		return e.proxy.transport.RoundTrip(out)
	}
	body := io.Reader(e.r.Body)
	if fault.up != nil {
		body = fault.up(body)
	}
	sent.from = body
	out.Body = io.NopCloser(sent)
	return e.proxy.transport.RoundTrip(out)
}

// answer passes the store's answer back.
func (e *exchange) answer(fault Fault, res *http.Response, received *tally) {
	header := e.w.Header()
	for name, values := range res.Header {
		header[name] = values
	}
	header.Del("Connection")
	e.w.WriteHeader(res.StatusCode)
	received.from = res.Body
	body := io.Reader(received)
	if fault.down != nil {
		body = fault.down(body)
	}
	_, err := io.Copy(flushing{e.w}, body)
	if err != nil {
		panic(http.ErrAbortHandler) // cut off, on this side as on that
	}
}

// flushing passes octets on as they come.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if err == nil {
		err = http.NewResponseController(f.ResponseWriter).Flush()
	}
	return n, err
}

// reset ends the client's connection by RST.
func (e *exchange) reset() {
	conn, _, err := http.NewResponseController(e.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // the connection may be gone already
	}
	_ = conn.Close() // as above
}

// wait waits for a channel, and reports false if the client or the proxy has gone first, or
// the request was dropped.
func (e *exchange) wait(done <-chan struct{}) bool {
	select {
	case <-done:
	case <-e.r.Context().Done():
		return false
	case <-e.proxy.closed:
		return false
	}
	select {
	case <-e.injection.dropped: // before done
		return false
	default:
		return true
	}
}

// errTruncated ends an answer before its time.
var errTruncated = errors.New("truncated by a fault")
