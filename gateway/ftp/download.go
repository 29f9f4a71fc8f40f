package ftp

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

func (s *session) retr(ctx context.Context, arg string) (reply, error) {
	restart, ranged := s.params.restart, s.params.window
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	o := RetrieveOptions{Offset: restart}
	switch {
	case restart > 0 && ranged != nil:
		return reply{}, errSequence
	case ranged != nil && (s.params.ascii || s.params.records), restart > 0 && s.params.records:
		return reply{}, errOffset
	case ranged != nil:
		o = ranged.options()
	}
	t, err := s.newFileTransfer(ctx, p, "Sending")
	if err != nil {
		return reply{}, err
	}
	opening := s.opening(p.Base())
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) { return t.retrieve(ctx, o, opening) })
}

// options are those that read the window.
func (w *window) options() RetrieveOptions {
	return RetrieveOptions{Offset: w.first, Length: w.last - w.first + 1}
}

// retrieve is the job of RETR.
func (t *transfer) retrieve(ctx context.Context, o RetrieveOptions, opening reply) (reply, error) {
	var skipped int64
	if t.ascii {
		skipped, o.Offset = o.Offset, 0
	}
	d, err := t.fs.Retrieve(ctx, t.path, o)
	if err != nil {
		return reply{}, err
	}
	defer t.closeDownload(d)
	src := t.encoder(d)
	if err := skip(src, skipped); err != nil {
		return reply{}, err
	}
	if !t.ascii && !t.records {
		// Clients without SIZE take the file's size from here, with this very ending.
		opening.text = opening.text[:len(opening.text)-1] + " (" + strconv.FormatInt(d.Size, 10) + " bytes)."
	}
	data, err := t.open(ctx, opening)
	if err != nil {
		return reply{}, err
	}
	defer data.abort()
	defer context.AfterFunc(ctx, data.abort)()
	readErr, writeErr := t.pump(ctx, data.flow, src, t.allowance.Send)
	switch {
	case writeErr != nil:
		return reply{}, dataError(writeErr)
	case !atEnd(readErr):
		return reply{}, readErr
	}
	if err := t.checkLength(d, o); err != nil {
		return reply{}, err
	}
	return t.sent(data)
}

// sent ends a transfer to the client of which all was written.
func (t *transfer) sent(data *dataConn) (reply, error) {
	if err := data.finish(); err != nil {
		return reply{}, dataError(err)
	}
	t.summary.done = "sent"
	return done(226, "Transfer complete.")
}

// skip reads up to a restart point of TYPE A, which counts octets as they are transferred
// (RFC 3659 §5.3): where that is in the file, only the conversion of what precedes it tells.
func skip(src io.Reader, octets int64) error {
	_, err := io.CopyN(io.Discard, src, octets)
	if atEnd(err) {
		return ErrRestart
	}
	return err
}

// encoder turns what is stored into data of this TYPE and STRU.
func (t *transfer) encoder(r io.Reader) io.Reader {
	switch {
	case t.records:
		return newRecordReader(r)
	case t.ascii:
		return newCRLFReader(r)
	}
	return r
}

// checkLength makes sure that a short file is never taken for a whole one.
func (t *transfer) checkLength(d *Download, o RetrieveOptions) error {
	want := d.Size - o.Offset
	if o.Length > 0 {
		want = min(want, o.Length)
	}
	if got := t.moved.Load(); !t.ascii && !t.records && got != want {
		return fmt.Errorf("%w: %d octets of %d", io.ErrUnexpectedEOF, got, want)
	}
	return nil
}

func (t *transfer) closeDownload(d *Download) {
	if err := d.Close(); err != nil {
		t.log.Warn("download not closed", slog.String("path", t.path.String()), slog.Any("err", err))
	}
}

// abor comes here when no transfer runs: either none did, or it has been ended and has had
// its own reply.
func (s *session) abor(context.Context, string) (reply, error) {
	return done(226, "ABOR done; no transfer is running.")
}
