package ftpc

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Data is a data connection. Reads and writes have the client's time-out; who paces them
// takes Conn.
type Data struct {
	Conn net.Conn // with TLS, the *tls.Conn

	c    *Client
	line string
	sent time.Time // when the line was
	raw  net.Conn
	stop func() bool
}

// Open sends EPSV, connects, sends the line and waits for its 150. The caller must Finish
// or Abandon.
func (c *Client) Open(line string) (*Data, error) {
	reply, err := c.Command(229, "EPSV")
	if err != nil {
		return nil, err
	}
	port := strings.Trim(reply[strings.IndexByte(reply, '(')+1:], "|).")
	host, _, err := net.SplitHostPort(c.control.RemoteAddr().String())
	if err != nil {
		return nil, err
	}
	conn, err := c.dial(net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%s: data connection: %w", line, err)
	}
	d := &Data{Conn: conn, c: c, line: line, raw: conn}
	d.stop = context.AfterFunc(c.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	if err := d.begin(); err != nil {
		d.Abandon()
		return nil, err
	}
	return d, nil
}

func (d *Data) begin() error {
	d.sent = time.Now()
	if _, err := d.c.Command(150, d.line); err != nil {
		return err
	}
	if d.c.o.TLS == nil {
		return nil
	}
	conn := tls.Client(d.raw, d.c.o.TLS)
	if err := d.c.alive(d.raw); err != nil {
		return err
	}
	d.Conn = conn
	return conn.HandshakeContext(d.c.ctx)
}

// Read is that of the connection, within the time-out.
func (d *Data) Read(p []byte) (int, error) {
	if err := d.c.alive(d.raw); err != nil {
		return 0, err
	}
	return d.Conn.Read(p)
}

// Write is that of the connection, within the time-out.
func (d *Data) Write(p []byte) (int, error) {
	if err := d.c.alive(d.raw); err != nil {
		return 0, err
	}
	return d.Conn.Write(p)
}

// Finish closes the connection, with close_notify under TLS, and waits for 226.
func (d *Data) Finish() error {
	err := d.end()
	d.stop()
	if err = errors.Join(err, d.Conn.Close()); err != nil {
		return fmt.Errorf("%s: %w", d.line, err)
	}
	_, err = d.c.reply(d.line, 226)
	return err
}

// end says close_notify and reads what is left of TLS: the kernel resets a connection that
// is closed with a session ticket unread.
func (d *Data) end() error {
	conn, ok := d.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	if err := d.c.alive(d.raw); err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, conn)
	return err
}

// Abandon closes the connection and waits for nothing. The client is of no further use but
// to be closed.
func (d *Data) Abandon() {
	d.stop()
	_ = d.raw.Close() // nothing depends on it any more
}

// Store uploads size octets of the content, from its start, under the name.
func (c *Client) Store(name string, size int64) error {
	d, err := c.Open("STOR " + name)
	if err != nil {
		return err
	}
	for at := int64(0); at < size; {
		b := c.o.Content.At(at)[:bufferSize]
		n, err := d.Write(b[:min(bufferSize, size-at)])
		if err != nil {
			d.Abandon()
			return fmt.Errorf("STOR %s: after %d octets: %w", name, at, err)
		}
		at += int64(n)
	}
	return d.Finish()
}

// Check says what Retrieve does with what comes.
type Check int

// What it may do.
const (
	CheckSize    Check = iota // the number of octets alone
	CheckContent              // each octet, against the content from its start
)

// Retrieved is what a download was like.
type Retrieved struct {
	Size  int64
	First time.Duration // from before RETR is sent to the first octet
}

// Retrieve downloads the file and fails unless it has size octets.
func (c *Client) Retrieve(name string, size int64, check Check) (Retrieved, error) {
	var r Retrieved
	d, err := c.Open("RETR " + name)
	if err != nil {
		return r, err
	}
	err = c.receive(d, func(b []byte) error {
		if r.Size == 0 {
			r.First = time.Since(d.sent)
		}
		at := r.Size
		r.Size += int64(len(b))
		if check == CheckContent {
			return c.o.Content.Check(at, b)
		}
		return nil
	})
	if err == nil && r.Size != size {
		err = fmt.Errorf("%d octets instead of %d", r.Size, size)
	}
	if err != nil {
		d.Abandon()
		return r, fmt.Errorf("RETR %s: %w", name, err)
	}
	return r, d.Finish()
}

// receive hands all that comes to take, in the client's buffer.
func (c *Client) receive(d *Data, take func([]byte) error) error {
	if c.buf == nil {
		c.buf = make([]byte, bufferSize)
	}
	for {
		n, err := d.Read(c.buf)
		if n > 0 {
			if err := take(c.buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// List sends the line, "MLSD /dir", and hands each line of the answer, without its end, to
// take, which must not keep it. take may be nil. It returns how many lines came.
func (c *Client) List(line string, take func([]byte)) (int, error) {
	d, err := c.Open(line)
	if err != nil {
		return 0, err
	}
	n := 0
	lines := bufio.NewScanner(d)
	lines.Buffer(make([]byte, 64<<10), 64<<10)
	for lines.Scan() {
		n++
		if take != nil {
			take(lines.Bytes())
		}
	}
	if err := lines.Err(); err != nil {
		d.Abandon()
		return n, fmt.Errorf("%s: %w", line, err)
	}
	return n, d.Finish()
}
