package ftp

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// xhashForm is the argument of XCRC and its like.
const xhashForm = "<SP> path, or \"path\" [<SP> first [<SP> end]]"

// hash answers with a checksum of a file or of the range that RANG has set
// (draft-bryan-ftp-hash).
func (s *session) hash(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	var o RetrieveOptions
	if ranged := s.params.window; ranged != nil {
		o = ranged.options()
	}
	c := checksum{name: s.params.hash, options: o}
	t := s.newTransfer(ctx, p, "Hashing")
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) {
		sum, size, err := t.sum(ctx, c)
		if err != nil {
			return reply{}, err
		}
		return done(213, fmt.Sprintf("%s %s %x %s", c.name, o.span(size), sum, p))
	})
}

// span shows the octets that o covers of a file of this size, from the first to the last.
func (o RetrieveOptions) span(size int64) string {
	end := size
	if o.Length > 0 {
		end = min(end, o.Offset+o.Length)
	}
	return fmt.Sprintf("%d-%d", o.Offset, max(end-1, o.Offset))
}

// xhash is the handler of XCRC and its like, for the algorithm of that name.
func xhash(name string) handler {
	return func(s *session, ctx context.Context, arg string) (reply, error) {
		file, first, end, err := parseXArgs(arg)
		if err != nil || end == first {
			return reply{}, errSyntax
		}
		p, err := s.resolve(file)
		if err != nil {
			return reply{}, err
		}
		c := checksum{name: name, options: RetrieveOptions{Offset: first}}
		if end > first {
			c.options.Length = end - first
		}
		t := s.newTransfer(ctx, p, "Hashing")
		return s.attend(ctx, t, func(ctx context.Context) (reply, error) {
			sum, _, err := t.sum(ctx, c)
			if err != nil {
				return reply{}, err
			}
			return done(250, hex.EncodeToString(sum))
		})
	}
}

// checksum is what HASH or XCRC asks for.
type checksum struct {
	name    string
	options RetrieveOptions
}

// sum takes the checksum that the store has, or else reads the file once, in the account's
// turn. It returns the file's size as well.
func (t *transfer) sum(ctx context.Context, c checksum) ([]byte, int64, error) {
	e, err := t.fs.Stat(ctx, t.path, StatOptions{Complete: true})
	if err != nil {
		return nil, 0, err
	}
	if e.Dir {
		return nil, 0, ErrIsDir
	}
	if stored := e.Sums[c.name]; stored != nil && c.options == (RetrieveOptions{}) {
		return stored, e.Size, nil
	}
	h, _, err := newHash(c.name)
	if err != nil {
		return nil, 0, err
	}
	read, err := t.server.hashing.begin(ctx, t.account)
	if err != nil {
		return nil, 0, err
	}
	defer func() { read(t.moved.Load()) }()
	d, err := t.fs.Retrieve(ctx, t.path, c.options)
	if err != nil {
		return nil, 0, err
	}
	defer t.closeDownload(d)
	readErr, err := t.pump(ctx, h, d, unbounded{}.Receive)
	if err != nil {
		return nil, 0, err
	}
	if !atEnd(readErr) {
		return nil, 0, readErr
	}
	t.log.Debug("hashed", slog.String("path", t.path.String()), slog.Int64("bytes", t.moved.Load()))
	return h.Sum(nil), d.Size, nil
}
