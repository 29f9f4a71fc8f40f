// Package transport is what the cloud stores share below their SDKs: an HTTP transport on
// which nothing hangs ([New]), the repetition of one request within bounds ([Retry],
// [Settle]) and a body that goes on where it broke off ([Resume]). It knows no store and
// no protocol of one. The SDKs' own retries are turned off in favour of it, so that every
// store gives up after the same time and settles lost answers in the same way.
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
	dialTimeout = 5 * time.Second
	// answerLimit is how long a request without a body may go unanswered: these are
	// cheap for every store, and a client of FTP waits for them.
	answerLimit = 10 * time.Second
	// stallLimit is how long a request with a body, or a body being read, may make no
	// progress. Composing and copying on the server's side happens within it.
	stallLimit = 30 * time.Second
	// idleConns is how many connections to a store are kept for the next request.
	idleConns = 256
)

// ErrStalled is the error of a request or body that made no progress for too long. It is
// a timeout: os.ErrDeadlineExceeded.
var ErrStalled = fmt.Errorf("no progress on the connection to the store: %w", os.ErrDeadlineExceeded)

// Transport is an http.RoundTripper that ends requests which make no progress, be it in
// connecting, sending, waiting for the answer, or reading its body. Time in which the
// caller does not read does not count. It is safe for concurrent use.
type Transport struct {
	next *http.Transport
}

// New returns a Transport with its own pool of connections; one serves a whole store. It
// speaks HTTP/1.1 alone: on HTTP/2 all transfers of the gateway would share one TCP
// connection, its flow control and its losses. It never decompresses.
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
		DisableCompression:    true,
		Protocols:             &protocols,
	}}
}

// CloseIdleConnections drops the connections that no request uses.
func (t *Transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// RoundTrip is http.RoundTripper's. Its error is ErrStalled if there was no progress.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := &watch{ctx: ctx, cancel: cancel, limit: limit(req)}
	w.timer = time.AfterFunc(w.limit, w.expire)
	res, err := t.next.RoundTrip(w.request(req))
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

func limit(req *http.Request) time.Duration {
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

// request is req under watch.
func (w *watch) request(req *http.Request) *http.Request {
	out := req.WithContext(w.ctx)
	if req.Body == nil || req.Body == http.NoBody {
		return out
	}
	out.Body = &sending{ReadCloser: req.Body, watch: w}
	if req.GetBody != nil {
		out.GetBody = func() (io.ReadCloser, error) {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			return &sending{ReadCloser: body, watch: w}, nil
		}
	}
	return out
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
