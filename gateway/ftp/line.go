package ftp

import (
	"bytes"
	"errors"
	"io"
)

const (
	// minLine is the first size of a session's line buffer: most sessions never need more.
	minLine = 512
	// restLine is its size while the client says nothing for long: most commands fit.
	restLine = 64
	// maxSwallowed bounds, in octets, a line that is past the limit and swallowed.
	maxSwallowed = 64 << 10
	// maxVerb is longer than any verb that there is.
	maxVerb = 16
)

var (
	// errLineTooLong is a line past the limit; what is left of it is no command (500).
	errLineTooLong = errors.New("command line too long")
	// errLineFlood is a line that does not end even so; the session is closed.
	errLineFlood = errors.New("command line does not end")
)

// command is a line of the control connection.
type command struct {
	verb   string // upper case letters and digits, a letter first; "" for anything else
	arg    string // octets after the one space behind the verb, other spaces included
	hasArg bool   // there was a space behind the verb, though perhaps nothing after it
}

// lineReader cuts what a client sends on its control connection into commands. It takes
// the Telnet codes out of them on the way (RFC 1123 §4.1.2.12), so however many there are,
// they are never kept. A line ends at LF, with or without CR before it; any other CR
// belongs to the line.
//
// One goroutine uses it. It never sets a deadline; a read that times out loses nothing,
// and the next call goes on.
type lineReader struct {
	r       io.Reader
	max     int
	buf     []byte // without Telnet codes; parsed up to start, filled up to end
	start   int
	end     int
	err     error // came with the last octets read; returned once they are parsed
	decoder telnetDecoder
	// telnet is called by next with the answer to an option that the client wants or
	// offers; it is to be sent before the next read. nil answers nothing.
	telnet func([]byte)

	swallowed int             // octets of an over-long line that were thrown away; 0 outside of one
	rows      map[string]*row // by verb; nil for none
}

// newLineReader reads lines of up to limit octets, their ends included.
func newLineReader(r io.Reader, limit int) *lineReader {
	return &lineReader{r: r, max: limit, buf: make([]byte, min(minLine, limit+decoderRoom))}
}

// next returns the next command, reading as often as it must. errLineTooLong comes once
// for each line past the limit; the call after it goes on with the line that follows.
// errLineFlood and the errors of the reader other than time-outs are final.
func (l *lineReader) next() (command, error) {
	for {
		if line, ok := l.cut(); ok {
			if len(line) >= l.max {
				return command{}, errLineTooLong
			}
			return l.parse(line), nil
		}
		if l.err != nil {
			err := l.err
			l.err = nil
			return command{}, err
		}
		if err := l.makeRoom(); err != nil {
			return command{}, err
		}
		l.fill()
	}
}

// buffered is the number of octets that were read and not yet parsed.
func (l *lineReader) buffered() int { return l.end - l.start }

// hasLine tells whether next can return a command without reading.
func (l *lineReader) hasLine() bool {
	rest := l.buf[l.start:l.end]
	if l.swallowed > 0 {
		_, rest, _ = bytes.Cut(rest, []byte{'\n'})
	}
	return bytes.IndexByte(rest, '\n') >= 0
}

// rest makes the buffer as small as waiting takes, if nothing is in it.
func (l *lineReader) rest() { l.resize(restLine) }

// wake makes it as large again as commands take that come together.
func (l *lineReader) wake() {
	if len(l.buf) < minLine {
		l.resize(minLine)
	}
}

// resize replaces an empty buffer.
func (l *lineReader) resize(octets int) {
	if l.buffered() == 0 {
		l.buf, l.start, l.end = make([]byte, octets), 0, 0
	}
}

// cut takes a complete line, without its end, off the buffer. It is valid until the next
// read.
func (l *lineReader) cut() (line []byte, ok bool) {
	for {
		i := bytes.IndexByte(l.buf[l.start:l.end], '\n')
		if i < 0 {
			return nil, false
		}
		line = l.buf[l.start : l.start+i]
		l.start += i + 1
		if l.swallowed == 0 {
			return line, true
		}
		l.swallowed = 0
	}
}

// makeRoom sees to it that something can be read, when no complete line is in the buffer.
func (l *lineReader) makeRoom() error {
	if l.swallowed > 0 {
		l.swallowed += l.buffered()
		l.start, l.end = 0, 0
		if l.swallowed > maxSwallowed {
			return errLineFlood
		}
		return nil
	}
	l.end = copy(l.buf, l.buf[l.start:l.end])
	l.start = 0
	if l.end >= l.max {
		l.swallowed, l.end = l.end, 0
		return errLineTooLong
	}
	if l.end+decoderRoom > len(l.buf) {
		grown := make([]byte, min(2*len(l.buf), l.max+decoderRoom))
		copy(grown, l.buf)
		l.buf = grown
	}
	return nil
}

// fill reads once. The error of the read waits in l.err.
func (l *lineReader) fill() {
	n, err := l.r.Read(l.buf[l.end+1:])
	l.err = err
	l.end += l.decoder.decode(l.buf[l.end:], n, l.answer)
}

func (l *lineReader) answer(b []byte) {
	if l.telnet != nil {
		l.telnet(b)
	}
}

// parse splits a line into verb and argument. line is changed.
func (l *lineReader) parse(line []byte) command {
	verb, arg, hasArg := bytes.Cut(unescapeCR(trimLine(line)), []byte{' '})
	return command{verb: l.verb(verb), arg: string(arg), hasArg: hasArg}
}

// trimLine takes the CR of the line's end off, and what an interrupt sent as urgent data
// leaves before ABOR: one octet of "IAC IP IAC DM" is lost on the way, which tears the
// codes apart. No verb begins with any of them.
func trimLine(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	for len(line) > 0 && (line[0] == telnetIAC || line[0] == telnetIP || line[0] == telnetDM) {
		line = line[1:]
	}
	return line
}

// unescapeCR turns CR NUL, which is how Telnet sends a CR that ends no line (RFC 3659
// §2.2), into CR, in place.
func unescapeCR(line []byte) []byte {
	if bytes.IndexByte(line, 0) < 0 {
		return line
	}
	out := line[:0]
	for i, c := range line {
		if c == 0 && i > 0 && line[i-1] == '\r' {
			continue
		}
		out = append(out, c)
	}
	return out
}

// verb gives b in upper case. That of a row costs no memory.
func (l *lineReader) verb(b []byte) string {
	if len(b) == 0 || len(b) > maxVerb || !isLetter(b[0]) {
		return ""
	}
	var upper [maxVerb]byte
	for i, c := range b {
		if !isAlphanumeric(c) {
			return ""
		}
		if isLetter(c) {
			c &^= 0x20
		}
		upper[i] = c
	}
	if row, ok := l.rows[string(upper[:len(b)])]; ok {
		return row.verb
	}
	return string(upper[:len(b)])
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
