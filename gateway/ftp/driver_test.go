package ftp

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
)

// countingNetwork is the system's network and counts what its data connections do.
type countingNetwork struct {
	systemNetwork
	reads, writes, octets atomic.Int64
}

func (n *countingNetwork) Listen(local netip.AddrPort) (net.Listener, error) {
	ln, err := n.systemNetwork.Listen(local)
	return &countingListener{ln, n}, err
}

func (n *countingNetwork) Dial(ctx context.Context, from, to netip.AddrPort) (net.Conn, error) {
	conn, err := n.systemNetwork.Dial(ctx, from, to)
	return &countingConn{conn, n}, err
}

type countingListener struct {
	net.Listener
	n *countingNetwork
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{conn, l.n}, nil
}

type countingConn struct {
	net.Conn
	n *countingNetwork
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.reads.Add(1)
	c.n.octets.Add(int64(n))
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.n.writes.Add(1)
	c.n.octets.Add(int64(n))
	return n, err
}

// nullFS takes every upload and keeps nothing, and has files of the size that their names say.
type nullFS struct {
	FS
	content []byte // repeated
	entries []Entry
}

func (f *nullFS) Store(context.Context, Path, StoreOptions) (Upload, Policy, error) {
	return &nullUpload{}, Policy{}, nil
}

func (f *nullFS) Retrieve(_ context.Context, p Path, _ RetrieveOptions) (*Download, error) {
	size, err := strconv.ParseInt(p.Base(), 10, 64)
	return &Download{Size: size, ReadCloser: &nullDownload{content: f.content, rest: size}}, err
}

func (f *nullFS) List(context.Context, Path) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range f.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// nullUpload counts.
type nullUpload struct{ octets int64 }

func (*nullUpload) Flush() error { return nil }

func (u *nullUpload) Write(p []byte) (int, error) {
	u.octets += int64(len(p))
	return len(p), nil
}
func (u *nullUpload) Commit() (Entry, error) { return Entry{Name: "x", Size: u.octets}, nil }
func (u *nullUpload) Park() (int64, error)   { return 0, nil }
func (u *nullUpload) Abort() error           { return nil }

// nullDownload gives octets without making them.
type nullDownload struct {
	content []byte
	rest    int64
}

func (d *nullDownload) Read(p []byte) (int, error) {
	if d.rest == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), d.rest)], d.content)
	d.rest -= int64(n)
	return n, nil
}

func (d *nullDownload) Close() error { return nil }

// driver is a client that allocates next to nothing of its own.
type driver struct {
	b    testing.TB
	conn net.Conn
	buf  []byte
	have int
	tls  *tls.Config // of data connections; nil in clear
}

// drive logs a driver in.
func drive(b testing.TB, addr string, config *tls.Config) *driver {
	c := dialClient(b, addr)
	if config == nil {
		c.login()
	} else {
		c.private(config)
	}
	return &driver{b: b, conn: c.conn, buf: make([]byte, 4096), tls: config}
}

// ask sends a line, with its end, and returns the reply, which is valid until the next.
func (d *driver) ask(line, want string) []byte {
	if _, err := io.WriteString(d.conn, line); err != nil {
		d.b.Fatal(err)
	}
	return d.hear(want)
}

func (d *driver) hear(want string) []byte {
	for {
		if i := bytes.IndexByte(d.buf[:d.have], '\n'); i >= 0 {
			line := string(d.buf[:i])
			d.have = copy(d.buf, d.buf[i+1:d.have])
			if line[:3] != want {
				d.b.Fatalf("got %q, want %s", line, want)
			}
			return []byte(line)
		}
		n, err := d.conn.Read(d.buf[d.have:])
		if err != nil {
			d.b.Fatal(err)
		}
		d.have += n
	}
}

// open begins a transfer and returns its data connection.
func (d *driver) open(line string) net.Conn {
	reply := d.ask("EPSV\r\n", "229")
	port := bytes.Split(reply, []byte("|"))[3]
	n, err := strconv.Atoi(string(port))
	if err != nil {
		d.b.Fatal(err)
	}
	conn, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n})
	if err != nil {
		d.b.Fatal(err)
	}
	d.ask(line, "150")
	if d.tls == nil {
		return conn
	}
	return tls.Client(conn, d.tls)
}

// stor uploads content.
func (d *driver) stor(content []byte) {
	conn := d.open("STOR x\r\n")
	if _, err := conn.Write(content); err != nil {
		d.b.Fatal(err)
	}
	conn.Close()
	d.hear("226")
}

// retr downloads the file that has name octets.
func (d *driver) retr(name string, buf []byte) {
	size, err := strconv.Atoi(name)
	if err != nil {
		d.b.Fatal(err)
	}
	d.fetch("RETR "+name, size, buf)
}

// fetch takes what a command sends, which must be so many octets.
func (d *driver) fetch(line string, octets int, buf []byte) {
	conn := d.open(line + "\r\n")
	total := 0
	for {
		n, err := conn.Read(buf)
		total += n
		if atEnd(err) {
			break
		}
		if err != nil {
			d.b.Fatal(err)
		}
	}
	if total != octets {
		d.b.Fatal(total, "octets, want", octets)
	}
	conn.Close()
	d.hear("226")
}

// benchConfig logs as the gateway does, to nowhere.
func benchConfig(files FS) Config {
	c := testConfig(files)
	c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	return c
}
