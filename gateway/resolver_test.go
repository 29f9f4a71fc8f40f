package gateway

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/configs"
)

// TestResolverGoesOn: when resolv.conf can be read no more, the servers are asked that it
// has named, and the log says so once.
func TestResolverGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("# by hand\nsearch example\nnameserver 192.0.2.53\nnameserver 2001:db8::53 # second\nnameserver nowhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := nameServers(path); !slices.Equal(got, []string{"192.0.2.53:53", "[2001:db8::53]:53"}) {
		t.Errorf("the servers are %q", got)
	}
	if got := nameServers(path + "x"); got != nil {
		t.Errorf("without the file: %q", got)
	}
	named, remembered := server(t), server(t)
	var log syncBuffer
	dial := dialServers(path, []string{remembered.String()}, NewLog(&log, configs.Log{Format: "json", Level: "info"}))
	for _, c := range []struct {
		before func()
		want   net.Addr
	}{
		{func() {}, named},
		{func() { os.Remove(path) }, remembered},
		{func() {}, remembered},
	} {
		c.before()
		conn, err := dial(t.Context(), "tcp", named.String())
		if err != nil {
			t.Fatal(err)
		}
		if conn.RemoteAddr().String() != c.want.String() {
			t.Errorf("%s was asked, not %s", conn.RemoteAddr(), c.want)
		}
		conn.Close()
	}
	if strings.Count(log.String(), "resolv.conf was replaced") != 1 {
		t.Errorf("the log: %s", log.String())
	}
}

// server is the address of somebody who takes connections.
func server(t *testing.T) net.Addr {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr()
}
