package ftp

import (
	"bytes"
	"errors"
	"io"
)

// errRecord is data of STRU R with an escape that is none, or with octets after its end.
var errRecord = errors.New("bad record structure")

// The control octets of a record-structured file in stream mode (RFC 959 §3.4.1): the
// escape and one of the codes, or the escape twice for an octet of data.
const (
	recordEscape = 0xff
	recordEOR    = 1
	recordEOF    = 2
	recordBoth   = 3
)

// recordWriter turns data of STRU R into a file of lines: each end of a record becomes an
// LF. A record that the end of the file ends leaves a line without one. One goroutine
// uses it at a time.
type recordWriter struct {
	w       io.Writer
	out     []byte
	escaped bool // an escape was written to recordWriter and waits for its code
	ended   bool // the end of the file came
}

func newRecordWriter(w io.Writer) *recordWriter {
	return &recordWriter{w: w, out: make([]byte, 0, conversionBuffer)}
}

// Write never keeps p. errRecord if p breaks the structure; after any error nothing more
// can be written.
func (rw *recordWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		chunk := p[done:min(len(p), done+conversionBuffer)]
		if err := rw.writeChunk(chunk); err != nil {
			return done, err
		}
		done += len(chunk)
	}
	return done, nil
}

// writeChunk decodes p, which fits into out.
func (rw *recordWriter) writeChunk(p []byte) error {
	out := rw.out[:0]
	for len(p) > 0 {
		if rw.ended {
			return errRecord
		}
		if rw.escaped {
			var err error
			if out, err = rw.appendCode(out, p[0]); err != nil {
				return err
			}
			p = p[1:]
			continue
		}
		data, rest, found := bytes.Cut(p, []byte{recordEscape})
		out = append(out, data...)
		rw.escaped = found
		p = rest
	}
	_, err := rw.w.Write(out)
	return err
}

// appendCode writes what an escape and its code stand for.
func (rw *recordWriter) appendCode(out []byte, code byte) ([]byte, error) {
	rw.escaped = false
	switch code {
	case recordEscape:
		return append(out, recordEscape), nil
	case recordEOR:
		return append(out, '\n'), nil
	case recordEOF:
		rw.ended = true
		return out, nil
	case recordBoth:
		rw.ended = true
		return append(out, '\n'), nil
	}
	return nil, errRecord
}

// Close judges the end of the data: io.ErrUnexpectedEOF if the end of the file, which
// STRU R marks in the data itself, has not come.
func (rw *recordWriter) Close() error {
	if !rw.ended {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// recordReader turns a file of lines into data of STRU R: each LF ends a record.
type recordReader struct {
	r    io.Reader
	buf  []byte
	src  []byte // part of buf that is read and not yet encoded
	err  error  // of r, for when src is spent
	code byte   // second octet of an escape whose first is given out, or 0
	done bool   // the end of the file is encoded
}

func newRecordReader(r io.Reader) io.Reader {
	return &recordReader{r: r, buf: make([]byte, conversionBuffer)}
}

func (rr *recordReader) Read(p []byte) (int, error) {
	for len(rr.src) == 0 && len(p) > 0 && rr.code == 0 && rr.err == nil {
		var n int
		n, rr.err = rr.r.Read(rr.buf)
		rr.src = rr.buf[:n]
	}
	n := 0
	for n < len(p) {
		k := rr.encode(p[n:])
		if k == 0 {
			break
		}
		n += k
	}
	if n == 0 && len(p) > 0 {
		return 0, rr.err
	}
	return n, nil
}

// encode moves octets up to the next that needs an escape, or half of an escape, to p; 0
// if more must be read first or the end of the file is given out.
func (rr *recordReader) encode(p []byte) int {
	if rr.code != 0 {
		p[0], rr.code = rr.code, 0
		return 1
	}
	if len(rr.src) == 0 {
		if rr.done || !atEnd(rr.err) {
			return 0
		}
		rr.done = true
		p[0], rr.code = recordEscape, recordEOF
		return 1
	}
	// Two searches by bytes.IndexByte would read the buffer again for each short line.
	plain := 0
	for plain < len(rr.src) && rr.src[plain] != '\n' && rr.src[plain] != recordEscape {
		plain++
	}
	n := copy(p, rr.src[:plain])
	if plain == 0 {
		rr.code = recordEscape
		if rr.src[0] == '\n' {
			rr.code = recordEOR
		}
		p[0], n = recordEscape, 1
	}
	rr.src = rr.src[n:]
	return n
}
