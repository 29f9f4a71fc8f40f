package httphook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func TestO1_AddressesThatAreNotCalled(t *testing.T) {
	for _, c := range []struct {
		address           string
		https, clear, far bool // whether it is called by https, by http, and by http with Cleartext
	}{
		{"127.0.0.1", true, true, true},
		{"::1", true, true, true},
		{"::ffff:127.0.0.1", true, true, true},
		{"10.0.0.1", true, false, true},
		{"192.0.2.1", true, false, true},
		{"2001:db8::1", true, false, true},
		{"169.254.169.254", false, false, false},
		{"::ffff:169.254.169.254", false, false, false},
		{"64:ff9b::a9fe:a9fe", false, false, false},
		{"fe80::1", false, false, false},
		{"fd00:ec2::254", false, false, false},
		{"100.100.100.200", false, false, false},
		{"168.63.129.16", false, false, false},
		{"0.0.0.0", false, false, false},
		{"::", false, false, false},
		{"224.0.0.1", false, false, false},
		{"255.255.255.255", false, false, false},
	} {
		address := netip.AddrPortFrom(netip.MustParseAddr(c.address), 443).String()
		for i, want := range []bool{c.https, c.clear, c.far} {
			scheme := []string{"https", "http", "http"}[i]
			if err := doorOf(scheme, i == 2)(t.Context(), "tcp", address, nil); (err == nil) != want {
				t.Errorf("%s by %s, cleartext %t: %v", c.address, scheme, i == 2, err)
			}
		}
	}
}

// TestO1_NamesThatLeadElsewhereLaterLeadNowhere: a hook's name that resolves to this machine
// at first, and then to a cloud's metadata service, is called no more.
func TestO1_NamesThatLeadElsewhereLaterLeadNowhere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"user": "acme"}`) }))
	defer server.Close()
	var leads atomic.Value
	leads.Store([4]byte{127, 0, 0, 1})
	_, port, _ := strings.Cut(server.Listener.Addr().String(), ":")
	h, err := newHook(Config{URL: "http://hook.test:" + port}, resolver(t, &leads))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find(t.Context(), attempt()); err != nil {
		t.Fatal(err)
	}
	h.client.CloseIdleConnections()
	leads.Store([4]byte{169, 254, 169, 254})
	var shut *DoorError
	if _, err := h.Find(t.Context(), attempt()); !errors.As(err, &shut) {
		t.Errorf("rebound: %v", err)
	}
}

// resolver asks a name server of the test's own, where all names lead to one address.
func resolver(t *testing.T, leads *atomic.Value) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buffer[:n]); err != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: leads.Load().([4]byte)},
				}}
			}
			reply, err := m.Pack()
			if err != nil {
				t.Error(err)
			}
			conn.WriteTo(reply, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}
