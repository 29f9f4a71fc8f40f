package ftp

import (
	"context"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	// connectTimeout is how long a data connection may take to be there and, under TLS,
	// to be the right one.
	connectTimeout = 30 * time.Second
	// secondChance is how long the right client may take to connect after a connection
	// whose TLS was not its own.
	secondChance = 2 * time.Second
)

// transfer is a job that runs beside its session: it has a copy of what it needs of it,
// and tells it by channels of preliminary replies and of its end.
type transfer struct {
	server  *Server
	id      string
	log     *slog.Logger
	fs      FS
	account string
	control net.Conn // for Grace alone
	session context.Context
	path    Path
	doing   string // for STAT
	lasting bool   // neither ABOR nor the end of the control connection ends it

	allowance Allowance
	release   func() // of allowance.Transfer

	route   route    // nil for a job without data connection
	binding *binding // nil in clear
	least   Protection
	ascii   bool
	records bool
	encode  encoder // nil for UTF-8

	moved       atomic.Int64 // octets so far, read by STAT
	crc         uint32       // CRC-32C of them
	summary     summary
	goodbye     chan struct{} // closed by the session once QUIT came
	begun       bool          // a preliminary reply was sent
	upload      bool
	took        time.Duration // all of it, once it has ended
	wake        func()        // makes the session look at the channels
	preliminary chan reply
	written     chan struct{} // answers preliminary
	ended       chan outcome
	gone        chan struct{} // closed when the job calls wake no more
}

// newTransfer prepares a job without data connection.
func (s *session) newTransfer(ctx context.Context, p Path, doing string) *transfer {
	id := s.id.String() + "." + strconv.FormatUint(s.serial, 10)
	t := &transfer{
		server:      s.server,
		id:          id,
		log:         s.log.With(slog.String("transfer", id)),
		fs:          s.login.account.FS,
		account:     s.login.account.Name,
		control:     s.raw,
		session:     context.WithValue(ctx, transferKey{}, id),
		path:        p,
		doing:       doing,
		ascii:       s.params.ascii,
		records:     s.params.records,
		encode:      s.encoder(),
		allowance:   s.allowance(),
		release:     func() {},
		wake:        s.wake,
		preliminary: make(chan reply, 1),
		written:     make(chan struct{}, 1),
		ended:       make(chan outcome, 1),
		goodbye:     make(chan struct{}),
		gone:        make(chan struct{}),
	}
	if s.leaving {
		close(t.goodbye)
	}
	return t
}

// transferKey is the key of a transfer's name in its contexts.
type transferKey struct{}

// TransferOf is the name, in the log, of the transfer that an FS is called for with ctx; ""
// if it is called for none.
func TransferOf(ctx context.Context) string {
	id, _ := ctx.Value(transferKey{}).(string)
	return id
}

// newDataTransfer prepares a job with the data connection that was agreed on, which is
// then used up.
func (s *session) newDataTransfer(ctx context.Context, p Path, doing string) (*transfer, error) {
	b, err := s.protection()
	if err != nil {
		return nil, err
	}
	if s.params.route == nil {
		return nil, errNoRoute
	}
	t := s.newTransfer(ctx, p, doing)
	t.route, s.params.route = s.params.route, nil
	t.binding, t.least = b, s.least()
	return t, nil
}

// newFileTransfer prepares a job that counts among the transfers that the account may run.
func (s *session) newFileTransfer(ctx context.Context, p Path, doing string) (*transfer, error) {
	release, err := s.allowance().Transfer()
	if err != nil {
		return nil, err
	}
	t, err := s.newDataTransfer(ctx, p, doing)
	if err != nil {
		release()
		return nil, err
	}
	t.release = release
	return t, nil
}

// carry runs the job and reports its end.
func (t *transfer) carry(ctx context.Context, job func(context.Context) (reply, error)) {
	defer close(t.gone)
	defer t.wake()
	defer t.release()
	defer func() {
		if t.route != nil && t.begun { // else the session does
			t.route.close()
		}
	}()
	began := time.Now()
	r, err := t.attempt(ctx, job)
	t.took = time.Since(began)
	t.record(ctx)
	t.ended <- outcome{r, t.explain(ctx, err)}
}

// attempt runs the job. A panic in it is an error.
func (t *transfer) attempt(ctx context.Context, job func(context.Context) (reply, error)) (r reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			t.log.Error("panic", slog.Any("err", p), slog.String("stack", string(debug.Stack())))
			r, err = reply{}, errPanic
		}
	}()
	return job(ctx)
}

// explain adds to an error what it stems from, and that data had begun to flow.
func (t *transfer) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = because(context.Cause(ctx), err)
	}
	if t.begun {
		err = &begunError{err}
	}
	return err
}

// begunError is an error after a preliminary reply.
type begunError struct{ error }

func (e *begunError) Unwrap() error { return e.error }

// begin has the session send the preliminary reply and waits until it is sent.
func (t *transfer) begin(ctx context.Context, r reply) error {
	t.preliminary <- r
	t.begun = true
	t.wake()
	select {
	case <-t.written:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// open makes the data connection: accepted or connected first, so that the preliminary
// reply is true, and the TLS handshake after it, for which clients wait. Once it is there,
// and is the client's as far as can be told, nobody else can come the same way.
func (t *transfer) open(ctx context.Context, opening reply) (*dataConn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	raw, err := t.route.connect(ctx)
	if err != nil {
		return nil, err
	}
	if t.binding == nil {
		t.route.close()
	}
	if err := t.begin(ctx, opening); err != nil {
		closeHard(raw)
		return nil, err
	}
	if t.binding == nil {
		return newDataConn(t.watch(raw)), nil
	}
	return t.protect(ctx, raw)
}

// protect makes the TLS handshake. A connection that fails in it, or did not resume where
// it must, may be a stranger's from behind the same address: the right one may follow.
func (t *transfer) protect(ctx context.Context, raw net.Conn) (*dataConn, error) {
	for alarms := 1; ; alarms++ {
		below := &wire{watchedConn: t.watch(raw), buffers: t.server.buffers}
		conn, err := t.binding.protect(ctx, below, t.server.config.SessionReuse, t.least)
		if err == nil {
			t.route.close()
			return newProtectedConn(below, conn), nil
		}
		closeHard(raw)
		if alarms <= maxAlarms {
			warnRefused(t.log, raw, err)
		}
		next, cancel := context.WithTimeout(ctx, secondChance)
		another, none := t.route.connect(next)
		cancel()
		if none != nil {
			return nil, err
		}
		raw = another
	}
}

func (t *transfer) watch(raw net.Conn) *watchedConn {
	return &watchedConn{Conn: raw, timeout: t.server.config.Limits.TransferTimeout}
}

// leaving tells whether QUIT has come.
func (t *transfer) leaving() bool {
	select {
	case <-t.goodbye:
		return true
	default:
		return false
	}
}

// pace waits until so many octets may go on.
type pace func(ctx context.Context, octets int) error

// pump copies until src ends and tells which side ended it; the end of a wait of pace is
// src's. The error of a src that came to its end is io.EOF.
func (t *transfer) pump(ctx context.Context, dst io.Writer, src io.Reader, pace pace) (readErr, writeErr error) {
	lease := t.server.buffers.lease()
	defer lease.end()
	table := crc32.MakeTable(crc32.Castagnoli)
	for {
		began := time.Now()
		buf := lease.octets()
		n, err := src.Read(buf)
		t.moved.Add(int64(n))
		t.crc = crc32.Update(t.crc, table, buf[:n])
		if n > 0 {
			if err := pace(ctx, n); err != nil {
				return err, nil
			}
			if _, err := dst.Write(buf[:n]); err != nil {
				return nil, err
			}
		}
		if err != nil {
			return err, nil
		}
		lease.passed(n, time.Since(began))
	}
}
