package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// data is a client's side of the data connection of one command.
type data struct {
	op      *op
	wire    *wire
	left    []byte // of an upload, not sent yet
	reading bool   // the client takes what comes
	over    bool   // the client has ended it
	ln      net.Listener
}

// dial opens the data connection of the next command, by EPSV or EPRT; false if there is
// none.
func (s *session) dial() (*data, bool) {
	c := s.client
	if c.chance(4) {
		return s.offer()
	}
	o := &op{verb: "EPSV"}
	s.command(o)
	c.wait()
	c.mu.Lock()
	_, rest, ok := strings.Cut(o.text, "(|||")
	c.mu.Unlock()
	var port uint16
	if _, err := fmt.Sscanf(rest, "%d|", &port); err != nil || !ok {
		return nil, false
	}
	conn, err := c.net.Dial(context.Background(), netip.AddrPortFrom(c.addr, 0), netip.AddrPortFrom(serverAddr.Addr(), port))
	if err != nil {
		return nil, false
	}
	return &data{wire: newWire(conn)}, true
}

// offer is dial by EPRT: the gateway is to connect, and finds a connection at once.
func (s *session) offer() (*data, bool) {
	c := s.client
	ln, err := c.net.Listen(netip.AddrPortFrom(c.addr, 0))
	c.must(err)
	o := &op{verb: "EPRT", path: fmt.Sprintf("|1|%s|%d|", c.addr, ln.Addr().(*net.TCPAddr).Port)}
	s.command(o)
	c.wait()
	c.mu.Lock()
	ok := o.code == 200
	c.mu.Unlock()
	if !ok {
		c.must(ln.Close())
		return nil, false
	}
	return &data{ln: ln}, true
}

// begin sends a command with its data connection.
func (s *session) begin(o *op, d *data) {
	d.op, d.left = o, o.data
	c := s.client
	c.mu.Lock()
	s.transfer = d
	c.mu.Unlock()
	s.command(o)
	if d.ln == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if s.over {
			d.drop(true)
		}
		return
	}
	go func() {
		conn, err := d.ln.Accept()
		_ = d.ln.Close() // it has served its purpose
		if err != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		d.wire = newWire(conn)
		if d.over {
			d.wire.cut(true)
		}
	}()
}

// connected tells whether there is a connection by now. mu is held.
func (d *data) connected() bool { return d.wire != nil }

// put sends some octets of an upload.
func (d *data) put(n int) {
	n = min(n, len(d.left))
	d.wire.send(d.left[:n])
	d.left = d.left[n:]
}

// complete sends the rest of an upload and its end.
func (d *data) complete() {
	w := d.op.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.over || !d.connected() {
		return
	}
	d.put(len(d.left))
	d.over = true
	d.op.sent, d.op.sentAt = true, time.Now()
	d.wire.end()
}

// cut breaks the connection off.
func (d *data) cut(hard bool) {
	w := d.op.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if !d.op.sent {
		d.op.cutOff()
	}
	d.drop(hard)
}

// drop gives the connection up. mu is held.
func (d *data) drop(hard bool) {
	d.over = true
	if d.connected() {
		d.wire.cut(hard)
	}
	if d.ln != nil {
		_ = d.ln.Close()
	}
}

// take begins to read what the gateway sends.
func (d *data) take() {
	w := d.op.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.reading || !d.connected() || d.over {
		return
	}
	d.reading = true
	go d.read()
}

func (d *data) read() {
	var content bytes.Buffer
	_, err := io.Copy(&content, d.wire)
	w := d.op.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	o := d.op
	o.received, o.stopped, o.ended = content.Bytes(), true, err == nil && !d.over
	if err != nil && !d.over && !errors.Is(err, syscall.ECONNRESET) {
		w.failf("simulator: data: %v", err)
	}
	if bytes.Contains(o.received, []byte(secret)) {
		w.failf("I4: sent what is in no mount: %s", o)
	}
	d.wire.end()
	w.judgeRead(o)
}

// finish brings the transfer to its proper end.
func (d *data) finish() {
	if d.op.uploads() {
		d.complete()
		return
	}
	d.take()
}
