package ftp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"causeway/gateway/ftp/memnet"
)

func TestShutdown(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("STOR x", "150")
		idle := &talker{t: t, server: k.server, control: record(k.server.connect(t, clientAddr))}
		idle.login()
		stranger := &talker{t: t, server: k.server, control: record(k.server.connect(t, clientAddr))}
		stranger.hear("220")
		ended := make(chan error, 1)
		go func() { ended <- k.server.Shutdown(context.Background()) }()
		for _, k := range []*talker{idle, stranger} {
			if said := k.hear("421", "EOF"); !strings.Contains(said, "stopping") {
				t.Errorf("an idle session hears %q", said)
			}
		}
		if _, err := k.server.net.Dial(t.Context(), netip.AddrPortFrom(clientAddr, 0), netip.AddrPortFrom(serverAddr, 21)); err == nil {
			t.Error("a new session after Shutdown")
		}
		time.Sleep(30 * time.Second)
		k.data.Write([]byte("whole"))
		k.say("PWD")
		k.data.Close()
		k.hear("226", "421", "EOF")
		wantContent(t, k.files, "x", "whole")
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownOutlivesWhoReadsNothing cuts sessions that cannot be told so.
func TestShutdownOutlivesWhoReadsNothing(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		c := k.server.connect(t, clientAddr) // nobody reads from it
		defer c.Close()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if err := k.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(began); took != 10*time.Second+lastWords {
			t.Errorf("Shutdown took %v", took)
		}
	})
}

func TestShutdownCutsAtItsDeadline(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("STOR x", "150")
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := k.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if said := k.hear("421", "EOF"); !strings.Contains(said, "stopping") {
			t.Errorf("who is cut hears %q", said)
		}
		wantAbsent(t, k.files, "x")
		if k.files.aborted != 1 {
			t.Errorf("%d uploads aborted, want 1", k.files.aborted)
		}
	})
}

func TestT25_TooManySessions(t *testing.T) {
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Limits.Sessions, c.Limits.SessionsPerAddress = 3, 2
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		from := func(addr, code string) *talker {
			o := &talker{t: t, server: k.server, control: record(k.server.connect(t, netip.MustParseAddr(addr)))}
			synctest.Wait()
			if said, _ := o.control.take(); !strings.HasPrefix(said, code) {
				t.Errorf("%s: %q, want %s", addr, said, code)
			}
			return o
		}
		second := from(clientAddr.String(), "220")
		from(clientAddr.String(), "421")
		other := from("2001:db8::1", "220")
		from("2001:db8:1::1", "421") // all are taken
		second.control.Close()
		other.control.Close()
		synctest.Wait()
		one := from("2001:db8::2", "220")
		two := from("2001:db8::3", "220") // the same /64
		two.control.Close()
		one.control.Close()
		synctest.Wait()
		if n := k.server.Sessions(); n != 1 {
			t.Errorf("%d sessions, want 1", n)
		}
	})
}

// flakyListener has no descriptors left for a while.
type flakyListener struct {
	net.Listener
	failures int
	at       []time.Time
}

func (f *flakyListener) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		f.at = append(f.at, time.Now())
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

func TestT25_AcceptBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewServer(testConfig(newFakeFS()))
		if err != nil {
			t.Fatal(err)
		}
		n := memnet.New()
		ln, err := n.Listen(netip.AddrPortFrom(serverAddr, 21))
		if err != nil {
			t.Fatal(err)
		}
		flaky := &flakyListener{Listener: ln, failures: 20}
		m := &memServer{Server: s, net: n, ln: ln, err: make(chan error, 1)}
		began := time.Now()
		go func() { m.err <- s.Serve(flaky, ListenOptions{}) }()
		k := &talker{t: t, server: m, control: record(m.connect(t, clientAddr))}
		time.Sleep(30 * time.Second)
		k.hear("220")
		if last := flaky.at[19].Sub(began); last < 10*time.Second {
			t.Errorf("20 failures within %v", last)
		}
		k.control.Close()
		synctest.Wait()
		m.end(t)
	})
}
