package ftpclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Limits of a listing, in octets.
const (
	maxListingLine = 16 << 10 // a name of a thousand, and the facts about it
	maxListing     = 1 << 30  // some ten million names: one that has no end would fill the caller's disk
)

// List gives the entries of the directory as they come, in the server's order and in
// constant memory. An error is the last element; without one the listing is whole, except
// for what [Conn.LeftOut] counts. It may be left early. fs.ErrNotExist also for what is no
// directory.
func (c *Conn) List(ctx context.Context, dir string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		c.leftOut = LeftOut{}
		if err := checkPath(dir); err != nil {
			yield(Entry{}, err)
			return
		}
		l := &listing{c: c, yield: yield, clock: c.clock()}
		if err := l.run(ctx, dir); err != nil && !l.stopped {
			yield(Entry{}, err)
		}
	}
}

// LeftOut tells what the last listing did not show. It is complete when the listing is.
func (c *Conn) LeftOut() LeftOut { return c.leftOut }

func (c *Conn) clock() clock {
	zone := c.cfg.Zone
	if zone == nil {
		zone = time.UTC
	}
	return clock{zone: zone, now: c.now()}
}

// listing is one listing on its way.
type listing struct {
	c       *Conn
	clock   clock
	yield   func(Entry, error) bool
	parse   func([]byte) (rawEntry, error)
	octets  int  // that came
	lines   int  // that came
	crlf    bool // lines end with CR LF
	within  bool // a name with an LF
	entries int  // that were made of them
	stopped bool // the caller wants no more
}

// run goes to the directory first: what servers say to LIST of what is not there differs,
// from 550 to an empty listing; and names with "*" or a leading "-" are taken as they are.
func (l *listing) run(ctx context.Context, dir string) error {
	c := l.c
	if err := c.changeDir(ctx, dir); err != nil {
		return c.closed(ctx, dir, err)
	}
	if c.features.MLST && !c.noMLSD {
		l.parse = parseMLSD
		err := l.stream(ctx, "MLSD")
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		c.noMLSD = true
	}
	l.parse = nil // the first line tells
	if c.noDashA {
		return l.stream(ctx, "LIST")
	}
	err := l.stream(ctx, "LIST", "-a") // else some servers hide what begins with a dot
	switch {
	case l.stopped || c.broken:
	case err != nil && refusedForGood(err), err == nil && l.lines == 0 && !c.dashA:
		// Either "-a" was taken for a name, or there is nothing, not even ".".
		if err = l.stream(ctx, "LIST"); err == nil && l.lines > 0 {
			c.noDashA = true
		}
	case err == nil && l.lines > 0:
		c.dashA = true
	}
	return err
}

// closed has a second look at a directory that the server does not go to, when it does not
// say why. vsftpd says the same of what is not there and of what the user may not enter; to
// take the second for the first would lose all that is in it. RNFR tells what is there.
func (c *Conn) closed(ctx context.Context, dir string, err error) error {
	var refused *ReplyError
	if !errors.As(err, &refused) || !errors.Is(err, fs.ErrNotExist) || refused.SaysMissing() {
		return err
	}
	if r, lookErr := c.command(ctx, "SIZE", dir); lookErr != nil || r.positive() {
		return errors.Join(err, lookErr) // a file
	}
	r, lookErr := c.command(ctx, "RNFR", dir)
	if lookErr != nil || !r.intermediate() {
		return errors.Join(err, lookErr)
	}
	refused.kind = fs.ErrPermission
	if r, lookErr = c.command(ctx, "TYPE", "I"); lookErr == nil && !r.positive() {
		_ = c.fail(ctx, "RNFR", ErrProtocol) // the server insists on RNTO, as ProFTPD does
	}
	return err
}

// refusedForGood tells a reply of 5xx.
func refusedForGood(err error) bool {
	var refused *ReplyError
	return errors.As(err, &refused) && refused.Code/100 == 5
}

// changeDir makes dir the working directory.
func (c *Conn) changeDir(ctx context.Context, dir string) error {
	_, err := c.expect2xx(ctx, "CWD", dir)
	var refused *ReplyError
	if errors.As(err, &refused) && refused.Code == 550 && !errors.Is(err, fs.ErrPermission) {
		refused.kind = fs.ErrNotExist
	}
	return err
}

// stream does one listing command.
func (l *listing) stream(ctx context.Context, verb string, words ...string) error {
	d, err := l.c.transfer(ctx, 0, verb, words...)
	if err != nil {
		return refusal(err)
	}
	err = l.read(bufio.NewReaderSize(d, maxListingLine))
	if err != nil || l.stopped {
		d.abandon()
		return err
	}
	r, err := d.finish()
	switch {
	case err != nil:
		return err
	case !r.positive():
		return r.failed(verb, words...)
	}
	return l.whole(r)
}

// refusal judges the reply of a server that does not begin a listing of the directory that
// it is in: some say so that there is nothing, others that the user may not read it.
func refusal(err error) error {
	var refused *ReplyError
	if !errors.As(err, &refused) || refused.Code != 450 && refused.Code != 550 {
		return err
	}
	if strings.Contains(strings.ToLower(refused.Text), "no files found") {
		return nil
	}
	if refused.Code == 550 {
		refused.kind = fs.ErrPermission
	}
	return err
}

// whole looks for signs in a reply of 226 that the listing is not whole; the codes do not
// tell. Pure-FTPd cuts at 10,000 names ("Output truncated to 10000 matches"). Of what the
// user may not read vsftpd lists nothing ("Transfer done (but failed to open directory)."),
// Pure-FTPd too ("Sorry, we were unable to read [.]"), and ProFTPD does not even say so, but
// leaves out the directory itself.
func (l *listing) whole(r reply) error {
	text := strings.ToLower(r.text())
	switch {
	case strings.Contains(text, "truncated"):
		return fmt.Errorf("%w: %s", ErrIncomplete, r.text())
	case strings.Contains(text, "failed to open directory"), strings.Contains(text, "unable to read"), l.lines == 0 && l.c.listsItself:
		return fmt.Errorf("%w: %s: %w", ErrIncomplete, r.text(), fs.ErrPermission)
	case l.c.leftOut.Unparsed > 0 && l.entries == 0:
		return fmt.Errorf("%w: %w: no line could be read, such as %s", ErrIncomplete, ErrProtocol, l.c.leftOut.Example)
	}
	return nil
}

// read takes the lines up to the end of the data, or until the caller has enough.
func (l *listing) read(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("%w: a line of a listing is longer than %d octets", ErrProtocol, maxListingLine)
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if l.octets += len(line); l.octets > l.c.mostListed {
			return fmt.Errorf("%w: a listing of more than %d octets", ErrProtocol, l.c.mostListed)
		}
		l.end(line)
		if l.stopped {
			return nil
		}
	}
}

// end takes a line with its end. Where lines end with CR LF, as they should, an LF alone is
// part of a name, and what surrounds it must not become two other names.
func (l *listing) end(line []byte) {
	text, ended := bytes.CutSuffix(line, []byte("\n"))
	text, crlf := bytes.CutSuffix(text, []byte("\r"))
	if l.lines == 0 {
		l.crlf = crlf
	}
	within := l.within
	l.within = ended && !crlf && l.crlf
	switch {
	case within: // the rest of a name that was counted
	case l.within:
		l.lines++
		l.out(line, errUnsafe)
	default:
		l.lines++
		l.line(text)
	}
}

// line makes an entry of a line, or counts what it is instead.
func (l *listing) line(line []byte) {
	e, err := l.parsed(line)
	if err == nil {
		e, err = e.checked()
	}
	if err == nil {
		if name, ok := l.c.decode(e.name); ok {
			e.Name = name
			l.entries++
			l.stopped = !l.yield(e.Entry, nil)
			return
		}
		err = errUndecodable
	}
	l.out(line, err)
}

// out counts a line that is no entry.
func (l *listing) out(line []byte, err error) {
	out := &l.c.leftOut
	switch {
	case errors.Is(err, errNothing):
		return
	case errors.Is(err, errItself):
		l.c.listsItself = true
		return
	case errors.Is(err, errSpecial):
		out.Special++
		return
	case errors.Is(err, errUnsafe):
		out.Unsafe++
	case errors.Is(err, errUndecodable):
		out.Undecodable++
	default:
		out.Unparsed++
	}
	if out.Example == "" {
		out.Example = strconv.QuoteToASCII(string(line[:min(len(line), 200)]))
	}
}

// parsed reads a line in the form that the first readable one had.
func (l *listing) parsed(line []byte) (rawEntry, error) {
	if l.parse != nil {
		return l.parse(line)
	}
	for _, parse := range []func([]byte) (rawEntry, error){l.clock.parseUnix, l.clock.parseDOS} {
		e, err := parse(line)
		if errors.Is(err, errForm) {
			continue
		}
		if !errors.Is(err, errNothing) {
			l.parse = parse
		}
		return e, err
	}
	return rawEntry{}, errForm
}
