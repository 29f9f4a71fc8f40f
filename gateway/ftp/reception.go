package ftp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// lastWrite is how long a Write may still take when the session has ended a transfer whose
// octets are published all the same.
const lastWrite = 5 * time.Second

// reception is an upload on its way, and what its end depends on.
type reception struct {
	*transfer
	up      Upload
	policy  Policy
	options StoreOptions
	cancel  context.CancelCauseFunc // of the upload's context
	written chan struct{}           // closed by wrote
	wrote   func()                  // no Write follows; may be called more than once
	over    bool                    // how it ends is settled
}

// store is the job of STOR, STOU and APPE. The upload lives in a context of its own, so
// that the end of ctx ends what it is blocked in, and never a commit that has begun.
func (t *transfer) store(ctx context.Context, o StoreOptions, opening reply) (reply, error) {
	uploading, cancel := context.WithCancelCause(t.session)
	defer cancel(nil)
	asked := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	up, policy, err := t.fs.Store(uploading, t.path, o)
	asked()
	if err != nil {
		return reply{}, err
	}
	t.summary.resumed = o.Offset > 0 || o.Append
	r := &reception{transfer: t, up: up, policy: policy, options: o, cancel: cancel, written: make(chan struct{})}
	r.wrote = sync.OnceFunc(func() { close(r.written) })
	defer r.abandon()
	return r.run(ctx, opening)
}

// run receives the data, has it judged, and ends the upload accordingly.
func (r *reception) run(ctx context.Context, opening reply) (reply, error) {
	defer r.wrote()
	release := context.AfterFunc(ctx, func() { r.unblock(context.Cause(ctx)) })
	defer release()
	data, err := r.open(ctx, opening)
	if err != nil {
		return reply{}, r.settle(err, evidence{policy: r.policy})
	}
	defer data.abort()
	defer context.AfterFunc(ctx, data.abort)()
	e := r.receive(ctx, data)
	r.summary.end = e.String()
	verdict := judge(e)
	if verdict == nil && !release() {
		verdict = context.Cause(ctx) // this very moment
	}
	if verdict == nil {
		return r.commit(data, e)
	}
	// First of all the client must know that it need not go on.
	data.abort()
	return reply{}, r.settle(verdict, e)
}

// unblock ends what a Write waits for once the session has ended the transfer. An upload
// that was cancelled cannot be published, so that one may take its time.
func (r *reception) unblock(cause error) {
	if r.policy.Incomplete == PublishIncomplete {
		timer := time.NewTimer(lastWrite)
		defer timer.Stop()
		select {
		case <-r.written:
			return
		case <-timer.C:
		}
	}
	r.cancel(cause)
}

// receive copies the data to the upload, watches for a while whether the control connection
// ends as well, and returns all that is known then.
func (r *reception) receive(ctx context.Context, data *dataConn) evidence {
	defer r.wrote()
	defer data.done()
	e := evidence{policy: r.policy, announced: r.options.Size, protected: data.tls != nil}
	counted := &countingWriter{next: r.up}
	dst, finish := r.decoder(counted)
	began := time.Now()
	e.end, e.failed = r.pump(ctx, dst, data.flow, r.allowance.Receive)
	if atEnd(e.end) {
		e.notified = data.notified()
		took := time.Since(began)
		if e.whole, e.failed = finish(); e.failed == nil {
			e.failed = r.up.Flush()
		}
		r.summary.grace = r.linger(ctx, data, took)
	}
	e.octets = r.moved.Load()
	e.changed = (r.ascii || r.records) && e.octets != counted.octets
	e.proper = r.server.proper.has(r.account)
	e.goodbye = r.leaving()
	e.cause = context.Cause(ctx)
	return e
}

// decoder turns data of this TYPE and STRU into what is stored. At the data's end finish
// tells by its first error that it was not the end, its second is the upload's.
func (r *reception) decoder(up io.Writer) (dst io.Writer, finish func() (whole, failed error)) {
	switch {
	case r.records:
		w := newRecordWriter(up)
		return w, func() (error, error) { return w.Close(), nil }
	case r.ascii:
		w := newLFWriter(up)
		return w, func() (error, error) { return nil, w.Flush() }
	}
	return up, func() (error, error) { return nil, nil }
}

// linger waits out the grace, in which the control connection may end, and returns how
// long that was. It is asked for again then: the end may have come meanwhile and wait to
// be read, which on a busy machine takes its time. After QUIT there is nothing to wait for.
func (r *reception) linger(ctx context.Context, data *dataConn, took time.Duration) time.Duration {
	began := time.Now()
	grace := r.server.config.Grace
	for waited := time.Duration(0); grace != nil; {
		more := grace(r.control, data.raw.Conn, took) - waited
		if more <= 0 {
			break
		}
		timer := time.NewTimer(more)
		select {
		case <-timer.C:
			waited += more
			continue
		case <-ctx.Done():
		case <-r.goodbye:
		}
		timer.Stop()
		break
	}
	return time.Since(began)
}

// commit makes a complete upload visible.
func (r *reception) commit(data *dataConn, e evidence) (reply, error) {
	if e.notified {
		r.server.proper.add(r.account)
	}
	if err := data.finish(); err != nil {
		// The client has closed already. Its file is complete all the same.
		r.log.Debug("data connection did not close", slog.Any("err", err))
	}
	r.over = true
	entry, err := r.up.Commit()
	if errors.Is(err, ErrUnavailable) {
		return reply{}, r.doubt(err, e, err)
	}
	if err != nil {
		return reply{}, err
	}
	r.made("stored", entry)
	if r.summary.name != "" {
		return done(226, "Transfer complete; that name was taken, the file is "+entry.Name+".")
	}
	return done(226, "Transfer complete.")
}

// doubt ends an upload whose commit the store has not answered, which may have made the
// file.
func (r *reception) doubt(verdict error, e evidence, failed error) error {
	e.failed = failed
	err := r.settle(verdict, e)
	if r.summary.done == "discarded" {
		r.summary.done = "unknown"
	}
	return err
}

// made notes which file has come of the upload.
func (r *reception) made(done string, e Entry) {
	r.summary.done, r.summary.version = done, e.Version
	if e.Name != r.path.Base() {
		r.summary.name = e.Name
	}
}

// settle ends an upload that is not complete, and adds to the verdict what has become of
// what came.
func (r *reception) settle(verdict error, e evidence) error {
	switch fate(verdict, e, r.options) {
	case ParkIncomplete:
		return r.park(verdict)
	case PublishIncomplete:
		return r.publish(verdict, e)
	default:
		r.over, r.summary.done = true, "discarded"
		return verdict // abandon does the rest
	}
}

// park keeps what came for a later upload.
func (r *reception) park(verdict error) error {
	r.over = true
	size, err := r.up.Park()
	if err != nil {
		r.log.Log(r.session, levelOf(err), "upload not parked", slog.String("path", r.path.String()), slog.Any("err", err))
		return verdict
	}
	if size == 0 {
		r.summary.done = "discarded"
		return verdict
	}
	r.summary.done, r.summary.kept = "parked", size
	return &settledError{verdict, strconv.FormatInt(size, 10) + " octets are kept; REST and STOR or APPE continue."}
}

// publish makes the file of what came, as old servers do.
func (r *reception) publish(verdict error, e evidence) error {
	r.over = true
	entry, err := r.up.Commit()
	if errors.Is(err, ErrUnavailable) {
		return r.doubt(because(verdict, err), e, err)
	}
	if err != nil {
		return because(verdict, err)
	}
	r.made("published", entry)
	return &settledError{verdict, "what came of it is stored."}
}

// abandon is the last that is done for an upload: it ends one that nothing else has ended,
// also after a panic. What had been parked before is parked again.
func (r *reception) abandon() {
	if !r.over && r.options.continues() {
		_ = r.park(errPanic) // logged; the panic itself is what the client hears of
	}
	if err := r.up.Abort(); err != nil {
		r.log.Error("upload not aborted", slog.String("path", r.path.String()), slog.Any("err", err))
	}
}

// settledError is why an upload is not complete, with what has become of it for the client.
type settledError struct {
	error
	note string
}

func (e *settledError) Unwrap() error { return e.error }

// continues tells whether an upload goes on with what is there.
func (o StoreOptions) continues() bool { return o.Offset > 0 || o.Append }

// countingWriter counts the octets that are given to next.
type countingWriter struct {
	next   io.Writer
	octets int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.octets += int64(len(p))
	return w.next.Write(p)
}
