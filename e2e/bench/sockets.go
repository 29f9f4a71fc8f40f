package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/e2e/bench/pattern"
)

// Sockets is a process that reads or writes plain TCP and does nothing else: what the FTP
// side of a transfer costs at least.
type Sockets struct {
	*Process
	address string
	content *pattern.Pattern
}

// socketBuffer is what sockets are read and written by.
const socketBuffer = 256 << 10

// socketTime bounds one transfer.
const socketTime = 5 * time.Minute

// Sockets starts the process.
func (e *Env) Sockets(ctx context.Context) (*Sockets, error) {
	var address string
	p, err := e.role(ctx, "sockets", nil, &address)
	return &Sockets{Process: p, address: address, content: e.Content}, err
}

// Direction is seen from the client.
type Direction int

const (
	Up Direction = iota
	Down
)

// Move sends or takes count times size octets over so many connections at a time.
func (s *Sockets) Move(ctx context.Context, d Direction, count int, size int64, concurrency int) (Usage, error) {
	return s.Measure(func() error {
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(concurrency)
		for range count {
			g.Go(func() error { return s.move(ctx, d, size) })
		}
		return g.Wait()
	})
}

// move tells the process what to send, 0 to receive, and does its part of it.
func (s *Sockets) move(ctx context.Context, d Direction, size int64) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the other side has told
	if err := conn.SetDeadline(time.Now().Add(socketTime)); err != nil {
		return err
	}
	want := int64(0)
	if d == Down {
		want = size
	}
	if err := binary.Write(conn, binary.BigEndian, want); err != nil {
		return err
	}
	if d == Down {
		return take(conn, size)
	}
	if err := give(conn, s.content, size); err != nil {
		return err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	var got int64
	if err := binary.Read(conn, binary.BigEndian, &got); err != nil || got != size {
		return fmt.Errorf("%d octets of %d received: %w", got, size, err)
	}
	return nil
}

// give writes size octets.
func give(w io.Writer, content *pattern.Pattern, size int64) error {
	for at := int64(0); at < size; {
		n, err := w.Write(content.At(at)[:min(socketBuffer, size-at)])
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

// take reads to the end, which must come after size octets.
func take(r io.Reader, size int64) error {
	got, err := drain(r)
	if err == nil && got != size {
		err = fmt.Errorf("%d octets instead of %d", got, size)
	}
	return err
}

func drain(r io.Reader) (int64, error) {
	buf := make([]byte, socketBuffer)
	for got := int64(0); ; {
		n, err := r.Read(buf)
		got += int64(n)
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
	}
}

// beSockets is the part "sockets": it serves until its input ends.
func beSockets(_ context.Context, _ []byte) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(l.Addr().String()); err != nil {
		return err
	}
	content := pattern.New()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveSocket(conn, content)
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// serveSocket is the other side of move. What fails here is seen there.
func serveSocket(conn net.Conn, content *pattern.Pattern) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(socketTime))
	var want int64
	if binary.Read(conn, binary.BigEndian, &want) != nil {
		return
	}
	if want > 0 {
		_ = give(conn, content, want)
		return
	}
	if got, err := drain(conn); err == nil {
		_ = binary.Write(conn, binary.BigEndian, got)
	}
}
