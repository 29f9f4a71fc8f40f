package ftp

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// scriptConn gives out what it is made of, each piece to one Read at most, and takes down
// what is written.
type scriptConn struct {
	net.Conn
	pieces [][]byte
	end    error
	reads  int
	writes [][]byte
	fail   error // of a Write
}

func (c *scriptConn) Read(p []byte) (int, error) {
	c.reads++
	if len(c.pieces) == 0 {
		return 0, c.end
	}
	n := copy(p, c.pieces[0])
	if c.pieces[0] = c.pieces[0][n:]; len(c.pieces[0]) == 0 {
		c.pieces = c.pieces[1:]
	}
	return n, nil
}

func (c *scriptConn) Write(p []byte) (int, error) {
	if c.fail != nil {
		return 0, c.fail
	}
	c.writes = append(c.writes, bytes.Clone(p))
	return len(p), nil
}

func (c *scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return nil }

func newTestWire(c *scriptConn) *wire {
	return &wire{watchedConn: &watchedConn{Conn: c, timeout: time.Minute}, buffers: newBuffers()}
}

// TestWireReads wants all octets, few reads, and the end noted only when all that came
// before it has been given out: whoever stops before it, at a close_notify, must not see it.
func TestWireReads(t *testing.T) {
	for name, end := range map[string]error{"end": io.EOF, "reset": errors.New("reset")} {
		t.Run(name, func(t *testing.T) {
			content := make([]byte, 4<<20+5)
			rand.Read(content)
			c := &scriptConn{pieces: [][]byte{bytes.Clone(content)}, end: end}
			w := newTestWire(c)
			got := make([]byte, len(content))
			for n := 0; n < len(got); {
				k, err := w.Read(got[n:min(len(got), n+maxRecord)])
				if n += k; err != nil || w.ended {
					t.Fatal(n, err, w.ended)
				}
			}
			if !bytes.Equal(got, content) {
				t.Error("other octets")
			}
			if most := len(content)/largeBuffer + fastPasses + 1; c.reads > most {
				t.Errorf("%d reads, want %d", c.reads, most)
			}
			for range 2 {
				if _, err := w.Read(got[:maxRecord]); !errors.Is(err, end) {
					t.Error(err)
				}
			}
			if w.ended != (name == "end") {
				t.Error("ended:", w.ended)
			}
		})
	}
}

// TestWireHoldsNothingForTheSlow wants no large buffer to wait for a client that sends in bursts.
func TestWireHoldsNothingForTheSlow(t *testing.T) {
	c := &scriptConn{pieces: [][]byte{make([]byte, 2*largeBuffer), make([]byte, 5000)}, end: io.EOF}
	w := newTestWire(c)
	if n, err := io.ReadFull(&pieceReader{w}, make([]byte, 2*largeBuffer+5000)); err != nil {
		t.Fatal(n, err)
	}
	if w.in != nil || w.full != 0 {
		t.Error("a buffer is held")
	}
}

// pieceReader reads as crypto/tls does.
type pieceReader struct{ r io.Reader }

func (p *pieceReader) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), maxRecord)]) }

func TestWireGathersWrites(t *testing.T) {
	c := &scriptConn{}
	w := newTestWire(c)
	record := bytes.Repeat([]byte("r"), maxRecord+22)
	write := func() {
		if n, err := w.Write(record); n != len(record) || err != nil {
			t.Fatal(n, err)
		}
	}
	write()
	w.gather()
	for range largeBuffer / maxRecord {
		write()
	}
	if len(c.writes) != 1 {
		t.Errorf("%d writes before release", len(c.writes))
	}
	if err := w.release(); err != nil || len(c.writes) != 2 || len(c.writes[1]) != largeBuffer/maxRecord*len(record) {
		t.Errorf("%d writes, %v", len(c.writes), err)
	}
	write()
	if len(c.writes) != 3 {
		t.Error("a record after release was kept back")
	}
	w.gather()
	write()
	c.fail = net.ErrClosed
	if err := w.release(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// TestTLSFlowSendsAll wants all that a Write has taken to have been sent when it returns.
func TestTLSFlowSendsAll(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	theirs := dialFromAddr(t, "127.0.0.1", ln.Addr().String())
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	config := testTLS(t)
	below := &wire{watchedConn: &watchedConn{Conn: ours, timeout: time.Minute}, buffers: newBuffers()}
	flow := &tlsFlow{tls.Server(below, config), below}
	content := make([]byte, 3*largeBuffer+7)
	rand.Read(content)
	got := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(tls.Client(theirs, clientTLS(tls.VersionTLS13)))
		got <- b
	}()
	for _, size := range []int{1, smallBuffer, smallBuffer + 1, len(content)} {
		if n, err := flow.Write(content[:size]); n != size || err != nil || below.out != nil || below.gathered != 0 {
			t.Fatal(n, err, below.gathered)
		}
	}
	flow.Close()
	want := bytes.Join([][]byte{content[:1], content[:smallBuffer], content[:smallBuffer+1], content}, nil)
	if b := <-got; !bytes.Equal(b, want) {
		t.Errorf("%d octets came, want %d", len(b), len(want))
	}
}

// TestLease wants large buffers for fast transfers alone.
// TestD12_LargeBuffersAreFew: so many are lent, whoever gets none goes on without, and what
// is given back is lent again.
func TestD12_LargeBuffersAreFew(t *testing.T) {
	b := newBuffers()
	grown := func(l *lease) bool {
		for range fastPasses {
			l.passed(smallBuffer, time.Microsecond)
		}
		return len(l.octets()) == largeBuffer
	}
	leases := make([]lease, mostLarge)
	for i := range leases {
		leases[i] = b.lease()
		if !grown(&leases[i]) {
			t.Fatalf("transfer %d has got no large buffer", i)
		}
	}
	late := b.lease()
	if grown(&late) {
		t.Error("one more has got a large buffer")
	}
	content := make([]byte, 3*largeBuffer)
	c := &scriptConn{pieces: [][]byte{content}, end: io.EOF}
	w := &wire{watchedConn: &watchedConn{Conn: c, timeout: time.Minute}, buffers: b}
	if n, err := io.ReadFull(&pieceReader{w}, make([]byte, len(content))); err != nil {
		t.Errorf("read %d octets, %v", n, err)
	}
	w.gather()
	if _, err := w.Write(content); err != nil || w.release() != nil || len(c.writes) != 1 {
		t.Errorf("%d writes: %v", len(c.writes), err)
	}
	leases[0].end()
	if !grown(&late) {
		t.Error("what was given back is not lent")
	}
}

func TestLease(t *testing.T) {
	l := newBuffers().lease()
	passed := func(times, n int, took time.Duration) {
		for range times {
			l.passed(n, took)
		}
	}
	want := func(size int) {
		t.Helper()
		if got := len(l.octets()); got != size {
			t.Errorf("a buffer of %d octets, want %d", got, size)
		}
	}
	passed(100, smallBuffer, fastPass)
	passed(fastPasses-1, smallBuffer, time.Microsecond)
	passed(1, smallBuffer-1, time.Microsecond)
	passed(fastPasses-1, smallBuffer, time.Microsecond)
	want(smallBuffer)
	passed(1, smallBuffer, time.Microsecond)
	want(largeBuffer)
	passed(100, 1, slowPass)
	want(largeBuffer)
	passed(1, largeBuffer, slowPass+1)
	want(smallBuffer)
	l.end()
}
