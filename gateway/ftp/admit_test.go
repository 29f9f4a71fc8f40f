package ftp

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestA3_WhoIsNotAdmitted hears 421 before anything else, or nothing where TLS is expected.
func TestA3_WhoIsNotAdmitted(t *testing.T) {
	config := func(files *fakeFS) Config {
		c := tlsConfig(t, files, ReuseOffered)
		c.Admit = func(client netip.Addr) bool { return client != clientAddr }
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		if said := k.hear("421", "EOF"); !strings.Contains(said, "failed logins") {
			t.Errorf("%q", said)
		}
		other := &talker{t: t, server: k.server, control: record(k.server.connect(t, clientAddr.Next()))}
		other.hear("220")
		if n := k.server.Sessions(); n != 1 {
			t.Errorf("%d sessions", n)
		}
		other.control.Close()
	})
	bubble(t, config, ListenOptions{ImplicitTLS: true}, func(t *testing.T, k *talker) {
		if said := k.hear("EOF"); said != "" {
			t.Errorf("%q", said)
		}
	})
}

// TestA3_RefusalsSayHowLongTheyWait, as long as a login may take.
func TestA3_RefusalsSayHowLongTheyWait(t *testing.T) {
	delays := []time.Duration{16 * time.Second, time.Second, time.Hour}
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Login = func(context.Context, Credentials) (*Account, error) {
			delay := delays[0]
			delays = delays[1:]
			return nil, &RefusedError{Delay: delay}
		}
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		for i, took := range []time.Duration{16 * time.Second, 2 * time.Second, 12 * time.Second} {
			k.say("USER u\nPASS x", "331")
			time.Sleep(took - 1)
			k.hear()
			time.Sleep(time.Nanosecond)
			if i < 2 {
				k.hear("530")
			} else {
				k.hear("421", "EOF")
			}
		}
	})
}
