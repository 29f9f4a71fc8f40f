package ftp

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"path"
	"strings"
	"time"
)

func (s *session) stor(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	return s.upload(ctx, p, StoreOptions{Size: s.params.size}, s.opening(p.Base()))
}

// stou stores under a name of its own, made from the one given if there is one. The form
// of its preliminary reply is fixed (RFC 1123 §4.1.2.9).
func (s *session) stou(ctx context.Context, arg string) (reply, error) {
	if blank(arg) {
		arg = ""
	}
	dir, base := path.Split(arg)
	ext := path.Ext(base)
	stem := cmp.Or(strings.TrimSuffix(base, ext), "upload")
	p, err := s.resolve(dir + stem + "-" + strings.ToLower(rand.Text()) + ext)
	if err != nil {
		return reply{}, err
	}
	name := p.String()
	if p.Parent() == s.params.dir {
		name = p.Base()
	}
	return s.upload(ctx, p, StoreOptions{Size: s.params.size, Unique: true}, reply{code: 150, text: "FILE: " + name})
}

func (s *session) appe(context.Context, string) (reply, error) {
	return reply{}, errAppend
}

// opening is the preliminary reply of a transfer of which the size is not known.
func (s *session) opening(name string) reply {
	return reply{code: 150, text: "Opening " + s.typeName() + " mode data connection for " + name + "."}
}

func (s *session) typeName() string {
	if s.params.ascii {
		return "ASCII"
	}
	return "BINARY"
}

func (s *session) upload(ctx context.Context, p Path, o StoreOptions, opening reply) (reply, error) {
	switch {
	case s.params.restart > 0 || s.params.window != nil:
		return reply{}, errAppend
	case p.IsRoot():
		return reply{}, ErrIsDir
	}
	t, err := s.newDataTransfer(ctx, p, "Receiving")
	if err != nil {
		return reply{}, err
	}
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) { return t.store(ctx, o, opening) })
}

// store is the job of STOR and STOU. The upload lives in a context of its own, so that
// the end of ctx aborts it before the commit has begun and not after.
func (t *transfer) store(ctx context.Context, o StoreOptions, opening reply) (reply, error) {
	uploading, cancel := context.WithCancel(t.session)
	defer cancel()
	release := context.AfterFunc(ctx, cancel)
	defer release()
	up, _, err := t.fs.Store(uploading, t.path, o)
	if err != nil {
		return reply{}, err
	}
	defer t.abort(up)
	data, err := t.open(ctx, opening)
	if err != nil {
		return reply{}, err
	}
	defer data.abort()
	defer context.AfterFunc(ctx, data.abort)()
	e, err := t.receive(data, up)
	if err != nil {
		return reply{}, err
	}
	t.linger(ctx, data, &e)
	if err := judge(e); err != nil {
		return reply{}, err
	}
	if !release() {
		return reply{}, context.Cause(ctx) // this very moment
	}
	return t.commit(data, up, e)
}

// receive copies the data to the upload. Its error is the upload's; how the data ended is
// evidence.
func (t *transfer) receive(data *dataConn, up Upload) (evidence, error) {
	dst, finish := t.decoder(up)
	end, err := t.pump(dst, data.flow)
	if err != nil {
		return evidence{}, err
	}
	e := evidence{end: end, protected: data.tls != nil, notified: data.notified()}
	if !atEnd(end) {
		return e, nil
	}
	err = finish()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		e.whole, err = err, nil
	}
	return e, err
}

// decoder turns data of this TYPE and STRU into what is stored; finish is called at the
// data's end. io.ErrUnexpectedEOF from it means that it was not the end.
func (t *transfer) decoder(up io.Writer) (dst io.Writer, finish func() error) {
	switch {
	case t.records:
		w := newRecordWriter(up)
		return w, w.Close
	case t.ascii:
		w := newLFWriter(up)
		return w, w.Flush
	}
	return up, func() error { return nil }
}

// linger watches for a while whether the control connection ends as well, and adds what
// was seen to the evidence.
func (t *transfer) linger(ctx context.Context, data *dataConn, e *evidence) {
	if t.server.config.Grace != nil && atEnd(e.end) {
		t.watchControl(ctx, data)
	}
	e.proper = t.server.proper.has(t.account)
	e.cause = context.Cause(ctx)
}

// watchControl waits out the grace. It is asked for again then: the end may have come
// meanwhile and wait to be read, which on a busy machine takes its time.
func (t *transfer) watchControl(ctx context.Context, data *dataConn) {
	for waited := time.Duration(0); ; {
		more := t.server.config.Grace(t.control, data.raw.Conn) - waited
		if more <= 0 {
			return
		}
		timer := time.NewTimer(more)
		select {
		case <-timer.C:
			waited += more
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// commit makes a complete upload visible.
func (t *transfer) commit(data *dataConn, up Upload, e evidence) (reply, error) {
	if e.notified {
		t.server.proper.add(t.account)
	}
	if err := data.finish(); err != nil {
		// The client has closed already. Its file is complete all the same.
		t.log.Debug("data connection did not close", slog.Any("err", err))
	}
	entry, err := up.Commit()
	if err != nil {
		return reply{}, err
	}
	t.log.Info("stored", slog.String("user", t.account), slog.String("path", t.path.String()),
		slog.Int64("bytes", entry.Size), slog.String("version", entry.Version))
	return done(226, "Transfer complete.")
}

func (t *transfer) abort(up Upload) {
	if err := up.Abort(); err != nil {
		t.log.Error("upload not aborted", slog.String("path", t.path.String()), slog.Any("err", err))
	}
}
