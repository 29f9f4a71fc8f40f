package wan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// bound is how long a test waits for what must come.
const bound = 30 * time.Second

// proxied starts a proxy to a listener and returns that listener and a connection through
// the proxy with the one it became.
func proxied(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	target, front := listen(t), listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, front, target.Addr().String(), Line{Rate: 1 << 30}) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	conn, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := target.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{conn, accepted} {
		t.Cleanup(func() { _ = c.Close() })
		if err := c.SetDeadline(time.Now().Add(bound)); err != nil {
			t.Fatal(err)
		}
	}
	return conn.(*net.TCPConn), accepted.(*net.TCPConn)
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(bound)); err != nil {
		t.Fatal(err)
	}
	return l.(*net.TCPListener)
}

// TestEachDirectionEndsByItself: a client may end its octets and still be answered.
func TestEachDirectionEndsByItself(t *testing.T) {
	client, server := proxied(t)
	question, answer := bytes.Repeat([]byte("q"), 1<<20), bytes.Repeat([]byte("a"), 1<<20)
	go func() {
		_, _ = client.Write(question) // a failure shows at the other end
		_ = client.CloseWrite()
	}()
	if got, err := io.ReadAll(server); err != nil || !bytes.Equal(got, question) {
		t.Fatalf("%d octets, %v", len(got), err)
	}
	go func() {
		_, _ = server.Write(answer)
		_ = server.CloseWrite()
	}()
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, answer) {
		t.Fatalf("%d octets, %v", len(got), err)
	}
}

// TestAResetStaysAReset: a connection that breaks on one side is no proper end on the other.
func TestAResetStaysAReset(t *testing.T) {
	client, server := proxied(t)
	if _, err := client.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(server, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	reset(client)
	if _, err := server.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the server's connection ended with %v", err)
	}
}
