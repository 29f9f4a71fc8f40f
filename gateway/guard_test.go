package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/textproto"
	"strings"
	"testing"

	"causeway/configs"
	"causeway/gateway/ftp"
)

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	faraway  = netip.MustParseAddr("192.0.2.1")
)

// try logs in past the engine, which would put off the answers to failures.
func (r *running) try(from netip.Addr, user, password string) error {
	_, err := r.guardedLogin(context.Background(), ftp.Credentials{
		User: user, Password: password, Remote: from, Log: r.Gateway.log.With(slog.String("session", "s1")),
	})
	return err
}

// startGuarded starts a gateway with a guard.
func startGuarded(t *testing.T, guard configs.Guard) *running {
	t.Helper()
	return start(t, func(cfg *configs.Config) { cfg.Guard = guard })
}

// TestA1_S42_ThrottledIsLikeAWrongPassword to the client, not in the log.
func TestA1_S42_ThrottledIsLikeAWrongPassword(t *testing.T) {
	t.Parallel()
	r := startGuarded(t, configs.Guard{AddressGuessesPerMinute: 1})
	for _, user := range []string{"cam1", "cam1", "nobody"} {
		err := r.try(faraway, user, "canary-wrong-"+user)
		var refused *ftp.RefusedError
		if !errors.As(err, &refused) || !errors.Is(err, ftp.ErrLogin) || err.Error() != ftp.ErrLogin.Error() {
			t.Errorf("%s: %v", user, err)
		}
	}
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "login throttled") && strings.Contains(line, `"session":"s1"`) && strings.Contains(line, `"user":"nobody"`) {
			return
		}
	}
	t.Errorf("the log does not tell of it:\n%s", r.log)
}

// TestA3_A11_BannedHears421, on a connection of its own, and when it has logged in as anybody.
func TestA3_A11_BannedHears421(t *testing.T) {
	t.Parallel()
	r := startGuarded(t, configs.Guard{BanAfter: 2, BanTime: configs.Default().Guard.BanTime})
	if err := r.try(loopback, "anonymous", "me"); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"cam1", "nobody"} {
		if err := r.try(loopback, user, "guess"); !errors.Is(err, ftp.ErrLogin) {
			t.Errorf("%s: %v", user, err)
		}
	}
	conn, err := net.Dial("tcp", r.explicit)
	if err != nil {
		t.Fatal(err)
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	if code, text, err := c.ReadResponse(421); err != nil {
		t.Errorf("%d %s", code, text)
	}
	if strings.Count(r.log.String(), "address banned") != 1 {
		t.Error("the log does not tell of it once")
	}
}

// TestA4_A5_OwnerIsNotLockedOut by a ban of the address that he shares with a guesser.
func TestA4_A5_OwnerIsNotLockedOut(t *testing.T) {
	t.Parallel()
	r := startGuarded(t, configs.Guard{AccountGuessesPerHour: 4, BanAfter: 2, BanTime: configs.Default().Guard.BanTime})
	dial(t, r.explicit, nil).login("cam1", password)
	for _, from := range []netip.Addr{loopback, faraway} {
		for _, user := range []string{"cam1", "nobody", "cam1", "other"} {
			if err := r.try(from, user, "guess at "+user); !errors.Is(err, ftp.ErrLogin) {
				t.Errorf("%s: %v", user, err)
			}
		}
	}
	if err := r.try(faraway, "cam1", password); !errors.Is(err, ftp.ErrLogin) {
		t.Errorf("from a banned address: %v", err)
	}
	if !strings.Contains(r.log.String(), "address banned") {
		t.Error("nobody is banned")
	}
	dial(t, r.explicit, nil).login("cam1", password)
}
