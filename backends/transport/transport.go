// Package transport is what the cloud stores share below their SDKs: an HTTP transport on
// which nothing hangs ([New]), the repetition of one request within bounds ([Retry],
// [Once.Settle]) and a body that never ends before its time ([Exactly]). It knows no store
// and no protocol of one. Google and Azure repeat requests by it alone, their SDKs' own
// retries being turned off; S3 uses its SDK's, which know the service's codes.
//
// Its central type is [Transport].
package transport

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// dialTimeout lets a few attempts fail within the time of a quick call.
	dialTimeout = 3 * time.Second
	// answerLimit is how long a request without a body may go unanswered: these are
	// cheap for every store, and a client of FTP waits for them.
	answerLimit = 10 * time.Second
	// stallLimit is how long a request with a body, or a body being read, may make no
	// progress. Composing and copying on the server's side happens within it.
	stallLimit = 30 * time.Second
	// idleConns is how many connections to a store are kept for the next request.
	idleConns = 256
	// buffer is for reading from and writing to a connection, in octets. What is larger
	// passes it by.
	buffer = 16 << 10
)

// ErrStalled is the error of a request or body that made no progress for too long. It is
// a timeout: os.ErrDeadlineExceeded.
var ErrStalled = fmt.Errorf("no progress on the connection to the store: %w", os.ErrDeadlineExceeded)

// Transport is an http.RoundTripper that ends requests which make no progress, be it in
// connecting, sending, waiting for the answer, or reading its body. Time in which the
// caller does not read does not count. It is safe for concurrent use.
type Transport struct {
	next    *http.Transport
	patient time.Duration // limit of requests, 0 for the usual ones
}

// New returns a Transport with its own pool of connections; one serves a whole store. It
// speaks HTTP/1.1 alone: on HTTP/2 all transfers of the gateway would share one TCP
// connection, its flow control and its losses. It never decompresses. It obeys HTTPS_PROXY,
// HTTP_PROXY and NO_PROXY (http.ProxyFromEnvironment).
func New() *Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &Transport{next: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   idleConns,
		WriteBufferSize:       buffer,
		ReadBufferSize:        buffer,
		DisableCompression:    true,
		Protocols:             &protocols,
	}}
}

// Patient is t for requests that the store may take up to limit to answer, with the same
// connections.
func (t *Transport) Patient(limit time.Duration) *Transport {
	return &Transport{next: t.next, patient: limit}
}

// CloseIdleConnections drops the connections that no request uses.
func (t *Transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// RoundTrip is http.RoundTripper's. Its error is ErrStalled if there was no progress.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{ctx: ctx, cancel: cancel, limit: t.limit(req)}
	w.timer = time.AfterFunc(w.limit, w.expire)
	res, err := w.send(t.next, req)
	w.answered()
	if err != nil {
		err = w.explain(err)
		cancel(nil)
		return nil, err
	}
	w.limit = stallLimit
	res.Body = &receiving{ReadCloser: res.Body, watch: w}
	return res, nil
}

// limit is how long req may make no progress.
func (t *Transport) limit(req *http.Request) time.Duration {
	if t.patient > 0 {
		return t.patient
	}
	if req.Body == nil || req.Body == http.NoBody {
		switch req.Method {
		case http.MethodGet, http.MethodHead, http.MethodDelete:
			return answerLimit
		}
	}
	return stallLimit
}

// watch cancels one request when it makes no progress.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration

	mu    sync.Mutex
	timer *time.Timer
	done  bool // the answer is there: what is still being sent is of no interest
}

func (w *watch) expire() { w.cancel(ErrStalled) }

// send makes a request under watch.
func (w *watch) send(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	out := req.WithContext(w.ctx)
	switch {
	case req.Body == nil || req.Body == http.NoBody:
	case req.ContentLength > 0 && req.ContentLength <= smallBody:
		if err := gather(out); err != nil {
			return nil, err
		}
	default:
		w.observe(out)
	}
	return next.RoundTrip(out)
}

// observe has the body of req report its progress.
func (w *watch) observe(req *http.Request) {
	req.Body = &sending{ReadCloser: req.Body, watch: w}
	again := req.GetBody
	if again == nil {
		return
	}
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := again()
		if err != nil {
			return nil, err
		}
		return &sending{ReadCloser: body, watch: w}, nil
	}
}

// sent notes that the connection has taken more of the request.
func (w *watch) sent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.done {
		w.timer.Reset(w.limit)
	}
}

func (w *watch) answered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	w.timer.Stop()
}

// explain is the reason why a request under watch failed with err.
func (w *watch) explain(err error) error {
	if context.Cause(w.ctx) == ErrStalled { //nolint:errorlint // the very value that expire gives
		return ErrStalled
	}
	return err
}

// sending is the body of a request under watch.
type sending struct {
	io.ReadCloser
	watch *watch
}

func (s *sending) Read(p []byte) (int, error) {
	s.watch.sent()
	return s.ReadCloser.Read(p)
}

// receiving is the body of an answer under watch.
type receiving struct {
	io.ReadCloser
	watch *watch
}

func (r *receiving) Read(p []byte) (int, error) {
	r.watch.timer.Reset(r.watch.limit)
	n, err := r.ReadCloser.Read(p)
	r.watch.timer.Stop()
	if err != nil && err != io.EOF { //nolint:errorlint // readers return io.EOF itself
		err = r.watch.explain(err)
	}
	return n, err
}

func (r *receiving) Close() error {
	err := r.ReadCloser.Close()
	r.watch.timer.Stop()
	r.watch.cancel(nil)
	return err
}
