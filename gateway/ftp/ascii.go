package ftp

import (
	"bytes"
	"io"
)

// conversionBuffer is how many octets the converters of TYPE A and STRU R take at a time:
// a few TCP segments, small beside a transfer's own buffers.
const conversionBuffer = 32 << 10

// crlfReader turns the line ends of a stored file, LF, into those of TYPE A, CRLF (RFC 959
// §3.1.1.1). A CRLF that is stored stays one: it was put there in TYPE I, and with one
// more CR no client would take it for a line end.
type crlfReader struct {
	r    io.Reader
	buf  []byte
	src  []byte // part of buf that is read and not yet converted
	err  error  // of r, for when src is spent
	last byte   // last octet given out
}

func newCRLFReader(r io.Reader) io.Reader {
	return &crlfReader{r: r, buf: make([]byte, conversionBuffer)}
}

func (c *crlfReader) Read(p []byte) (int, error) {
	for len(c.src) == 0 && len(p) > 0 {
		if c.err != nil {
			return 0, c.err
		}
		var n int
		n, c.err = c.r.Read(c.buf)
		c.src = c.buf[:n]
	}
	n := 0
	for n < len(p) && len(c.src) > 0 {
		n += c.convert(p[n:])
	}
	return n, nil
}

// convert moves octets up to the next line end to p, or the CR that the line end lacks.
func (c *crlfReader) convert(p []byte) int {
	line := c.src
	switch i := bytes.IndexByte(line, '\n'); {
	case i == 0 && c.last != '\r':
		p[0], c.last = '\r', '\r'
		return 1
	case i == 0:
		line = line[:1]
	case i > 0:
		line = line[:i]
	}
	n := copy(p, line)
	c.last = line[n-1]
	c.src = c.src[n:]
	return n
}

// lfWriter turns CRLF, the line end of TYPE A, into LF, which is stored. A CR without LF
// is kept, as is an LF without CR. One goroutine uses it at a time.
type lfWriter struct {
	w   io.Writer
	out []byte
	cr  bool // a CR was written to lfWriter and waits for what follows it
}

func newLFWriter(w io.Writer) *lfWriter {
	return &lfWriter{w: w, out: make([]byte, 0, conversionBuffer)}
}

// Write never keeps p. After an error the number of octets is not exact and nothing more
// can be written.
func (l *lfWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		chunk := p[done:min(len(p), done+conversionBuffer-1)]
		if err := l.writeChunk(chunk); err != nil {
			return done, err
		}
		done += len(chunk)
	}
	return done, nil
}

// writeChunk converts p, which is so short that it fits into out with a CR before it.
func (l *lfWriter) writeChunk(p []byte) error {
	out := l.out[:0]
	for len(p) > 0 {
		if l.cr && p[0] != '\n' {
			out = append(out, '\r')
		}
		i := bytes.IndexByte(p, '\r')
		if l.cr = i >= 0; !l.cr {
			out = append(out, p...)
			break
		}
		out = append(out, p[:i]...)
		p = p[i+1:]
	}
	_, err := l.w.Write(out)
	return err
}

// Flush writes a CR that the data ended with.
func (l *lfWriter) Flush() error {
	if !l.cr {
		return nil
	}
	l.cr = false
	_, err := l.w.Write([]byte{'\r'})
	return err
}
