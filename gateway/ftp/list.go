package ftp

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"strings"
	"time"
)

const (
	// listBuffer is how many octets of a listing are written at once.
	listBuffer = 64 << 10
	// firstList is how many are written first, so that a client hears of a page of short
	// names before the next one has come, and a short listing takes little memory.
	firstList = 4 << 10
	// lineRoom is for the line that fills a buffer; a longer one makes it grow.
	lineRoom = 4 << 10
)

// formatter writes the line of one entry.
type formatter func(dst []byte, e Entry) []byte

func (s *session) list(ctx context.Context, arg string) (reply, error) {
	m := s.manners()
	return s.sendList(ctx, arg, func(*listing) formatter { return longFormat(m) })
}

// nlst lists names as RETR takes them: with the directory in front if the client named one
// (RFC 1123 §4.1.2.7).
func (s *session) nlst(ctx context.Context, arg string) (reply, error) {
	if parseListArg(arg).long {
		return s.list(ctx, arg)
	}
	return s.sendList(ctx, arg, func(l *listing) formatter {
		return func(dst []byte, e Entry) []byte { return appendName(append(dst, l.prefix...), e.Name) }
	})
}

// longFormat writes the lines of LIST, all as seen at one time.
func longFormat(m Manners) formatter {
	if m.DOSListing {
		return appendDOSLine
	}
	now := time.Now()
	return func(dst []byte, e Entry) []byte { return appendListLine(dst, e, now) }
}

// mlsd lists a directory with facts (RFC 3659 §7).
func (s *session) mlsd(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	facts := s.params.facts
	t, err := s.newDataTransfer(ctx, p, "Listing")
	if err != nil {
		return reply{}, err
	}
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) {
		r, err := t.list(ctx, t.fs.List(ctx, p), func(dst []byte, e Entry) []byte {
			return appendName(append(appendFacts(dst, e, facts, entryType(e)), ' '), e.Name)
		})
		if errors.Is(err, fs.ErrNotExist) && !t.begun {
			if e, err := t.fs.Stat(ctx, p, StatOptions{}); err == nil && !e.Dir {
				return done(501, "MLSD lists directories; use MLST for a file.")
			}
		}
		return r, err
	})
}

func entryType(e Entry) string {
	if e.Dir {
		return "dir"
	}
	return "file"
}

// sendList is LIST and NLST. The listing that format is given has its final prefix only
// once an entry has come.
func (s *session) sendList(ctx context.Context, arg string, format func(*listing) formatter) (reply, error) {
	l, err := s.parseListing(arg)
	if err != nil {
		return reply{}, err
	}
	t, err := s.newDataTransfer(ctx, l.path, "Listing")
	if err != nil {
		return reply{}, err
	}
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) {
		return t.list(ctx, l.entries(ctx, t.fs), format(&l))
	})
}

// list sends entries as they come, in the memory of one buffer. The first one, or the
// error in its place, comes before the preliminary reply.
func (t *transfer) list(ctx context.Context, entries iter.Seq2[Entry, error], format formatter) (reply, error) {
	next, stop := iter.Pull2(entries)
	defer stop()
	e, err, more := next()
	if err != nil {
		return reply{}, err
	}
	data, err := t.open(ctx, reply{code: 150, text: "Opening ASCII mode data connection for the listing."})
	if err != nil {
		return reply{}, err
	}
	defer data.abort()
	defer context.AfterFunc(ctx, data.abort)()
	w := newListWriter(t, data, format)
	for ; more; e, err, more = next() {
		if err != nil {
			return reply{}, err
		}
		if err := w.add(e); err != nil {
			return reply{}, err
		}
	}
	if err := w.flush(); err != nil {
		return reply{}, err
	}
	return t.sent(data)
}

// listWriter gathers lines into writes of listBuffer, but for the first.
type listWriter struct {
	t      *transfer
	data   *dataConn
	format formatter
	buf    []byte
	full   int  // octets in buf that are written
	hidden bool // an entry was left out
}

func newListWriter(t *transfer, data *dataConn, format formatter) *listWriter {
	return &listWriter{t: t, data: data, format: format, buf: make([]byte, 0, firstList+lineRoom), full: firstList}
}

func (w *listWriter) add(e Entry) error {
	begin := len(w.buf)
	w.buf = w.format(w.buf, e)
	if w.t.encode != nil {
		octets, err := w.t.encode(string(w.buf[begin:]))
		w.buf = append(w.buf[:begin], octets...)
		if err != nil && !w.hidden {
			w.hidden = true
			w.t.log.Warn("names that the account's charset lacks are not listed", slog.String("path", w.t.path.String()))
		}
	}
	if len(w.buf) < w.full {
		return nil
	}
	err := w.flush()
	if w.full == firstList {
		w.full, w.buf = listBuffer, make([]byte, 0, listBuffer+lineRoom)
	}
	return err
}

func (w *listWriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.data.flow.Write(w.buf)
	w.t.moved.Add(int64(n))
	w.buf = w.buf[:0]
	if err != nil {
		return dataError(err)
	}
	return nil
}

// listing is what LIST, NLST or STAT is asked for.
type listing struct {
	path    Path   // the directory or file; with a glob, the directory to search
	pattern string // glob for the last component, or ""
	itself  bool   // -d: a directory's own line
	literal Path   // path that the glob would be if it were none
	prefix  string // what NLST puts in front of names
	name    string // as the client has named it
}

func (s *session) parseListing(arg string) (listing, error) {
	a := parseListArg(arg)
	name, err := s.decode(a.name)
	if err != nil {
		return listing{}, because(fs.ErrInvalid, err)
	}
	l := listing{itself: a.directory && name != "", name: name}
	if l.literal, err = s.params.dir.Join(name); err != nil {
		return listing{}, err
	}
	l.path = l.literal
	dir, last := name[:strings.LastIndexByte(name, '/')+1], name[strings.LastIndexByte(name, '/')+1:]
	if hasMeta(last) {
		l.pattern, l.prefix = last, dir
		l.path, err = s.params.dir.Join(dir)
	} else if name != "" && name != "." && name != "./" {
		l.prefix = strings.TrimSuffix(name, "/") + "/"
	}
	s.doing.path = l.path
	return l, err
}
