package memnet_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"causeway/gateway/ftp/memnet"
)

// pair is a connection between two hosts.
func pair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	n := memnet.New()
	at := netip.MustParseAddrPort("192.0.2.1:21")
	ln, err := n.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := n.Listen(at); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the same port again: %v", err)
	}
	if client, err = n.Dial(t.Context(), netip.MustParseAddrPort("198.51.100.7:0"), at); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestEndAndReset(t *testing.T) {
	client, server := pair(t)
	if got := server.RemoteAddr().String(); got != client.LocalAddr().String() || got != "198.51.100.7:40001" {
		t.Errorf("connected from %s", got)
	}
	client.Close()
	if err := server.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Errorf("a deadline after the peer's Close: %v", err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after Close: %v", err)
	}
	server.Close()
	if server.SetReadDeadline(time.Now().Add(time.Minute)) == nil {
		t.Error("a deadline after Close")
	}
	client, server = pair(t)
	client.(interface{ SetLinger(int) error }).SetLinger(0)
	client.Close()
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after a reset: %v", err)
	}
	client, server = pair(t)
	client.Close()
	client.(interface{ SetLinger(int) error }).SetLinger(0)
	client.Close()
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after Close and then a reset: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	n := memnet.New()
	from, at := netip.MustParseAddrPort("198.51.100.7:0"), netip.MustParseAddrPort("192.0.2.1:21")
	if _, err := n.Dial(t.Context(), from, at); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	ln, err := n.Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := n.Dial(t.Context(), from, at)
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("nobody has accepted: %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepted from a closed listener: %v", err)
	}
	if _, err := n.Dial(t.Context(), from, at); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens any more: %v", err)
	}
}
