package ftp

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeAllowance is spent by the test.
type fakeAllowance struct {
	places    int          // for transfers
	left      atomic.Int32 // calls of Leave
	perOctet  time.Duration
	perTurn   time.Duration
	refuseAll bool
}

func (a *fakeAllowance) Command(ctx context.Context) error { return doze(ctx, a.perTurn) }

func (a *fakeAllowance) Transfer() (func(), error) {
	if a.places == 0 {
		return nil, ErrTransfers
	}
	a.places--
	return func() { a.places++ }, nil
}

func (a *fakeAllowance) Receive(ctx context.Context, octets int) error {
	return doze(ctx, time.Duration(octets)*a.perOctet)
}

func (a *fakeAllowance) Send(ctx context.Context, octets int) error {
	return doze(ctx, time.Duration(octets)*a.perOctet)
}

func (a *fakeAllowance) Leave() { a.left.Add(1) }

func doze(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// allowed is a server on which every account has this allowance.
func allowed(a *fakeAllowance) func(*fakeFS) Config {
	return func(files *fakeFS) Config {
		c := testConfig(files)
		login := c.Login
		c.Login = func(ctx context.Context, who Credentials) (*Account, error) {
			account, err := login(ctx, who)
			switch {
			case err != nil:
				return nil, err
			case a.refuseAll:
				return nil, ErrSessions
			}
			account.Allowance = a
			return account, nil
		}
		return c
	}
}

func TestTooManySessionsOfAnAccount(t *testing.T) {
	bubble(t, allowed(&fakeAllowance{refuseAll: true}), ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.say("USER u\nPASS p", "331", "421", "EOF")
	})
}

// TestSessionsLeave once, however they end.
func TestSessionsLeave(t *testing.T) {
	for name, end := range map[string]func(*talker){
		"QUIT":          func(k *talker) { k.say("QUIT", "221", "EOF") },
		"REIN":          func(k *talker) { k.say("REIN", "220") },
		"USER":          func(k *talker) { k.say("USER v", "331") },
		"killed":        func(k *talker) { k.control.Close(); synctest.Wait() },
		"REIN and QUIT": func(k *talker) { k.say("REIN\nQUIT", "220", "221", "EOF") },
		"idle":          func(k *talker) { time.Sleep(5 * time.Minute); k.hear("421", "EOF") },
	} {
		t.Run(name, func(t *testing.T) {
			a := &fakeAllowance{}
			bubble(t, allowed(a), ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				if a.left.Load() != 0 {
					t.Error("left while it was there")
				}
				end(k)
				synctest.Wait()
				if a.left.Load() != 1 {
					t.Errorf("left %d times", a.left.Load())
				}
			})
		})
	}
}

// TestTooManyTransfers are refused, and give their places back however they end.
func TestTooManyTransfers(t *testing.T) {
	a := &fakeAllowance{}
	bubble(t, allowed(a), ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		for _, line := range []string{"STOR new.txt", "RETR readme.txt", "APPE readme.txt", "STOU"} {
			k.passive()
			k.say(line, "450")
		}
		a.places = 1
		k.passive()
		k.say("STOR new.txt", "150")
		if a.places != 0 {
			t.Error("an upload takes no place")
		}
		k.data.Close()
		k.hear("226")
		k.passive()
		k.say("RETR missing.txt", "550")
		k.say("RETR readme.txt", "425") // that one has used the data connection up
		k.passiveRead()
		k.say("RETR readme.txt", "150", "226")
		a.places = 0
		k.passiveRead()
		k.say("NLST", "150", "226") // a listing is none
		if a.places = 1; a.left.Load() != 0 {
			t.Error("left")
		}
	})
	if a.places != 1 {
		t.Errorf("%d places left of 1", a.places)
	}
}

// TestTransfersArePaced, longer than a transfer may make no progress, and ABOR need not wait.
func TestTransfersArePaced(t *testing.T) {
	a := &fakeAllowance{places: 1, perOctet: 20 * time.Second}
	bubble(t, allowed(a), ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.passive()
		k.say("STOR new.txt", "150")
		k.data.Write([]byte("12345"))
		k.data.Close()
		time.Sleep(100*time.Second - 1)
		k.hear()
		time.Sleep(2 * time.Second) // and the grace
		k.hear("226")
		wantContent(t, k.files, "new.txt", "12345")
		k.passiveRead()
		k.say("RETR new.txt", "150")
		time.Sleep(100*time.Second - 1)
		k.hear()
		time.Sleep(time.Second)
		k.hear("226")
		k.passiveRead()
		k.say("RETR new.txt", "150")
		k.say("ABOR", "426", "226")
		k.passive()
		k.say("STOR new.txt", "150")
		k.data.Write([]byte("12345"))
		k.say("ABOR", "426", "226")
		wantContent(t, k.files, "new.txt", "12345")
	})
}

// TestCommandsTakeTurns after login.
func TestCommandsTakeTurns(t *testing.T) {
	a := &fakeAllowance{perTurn: time.Second}
	bubble(t, allowed(a), ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.say("NOOP\nUSER u\nPASS p", "200", "331", "230")
		go k.control.Write([]byte("PWD\r\nPWD\r\nNOOP\r\n"))
		time.Sleep(2*time.Second + 1)
		k.hear() // replies to what came together go out together
		time.Sleep(time.Second)
		k.hear("257", "257", "200")
		k.server.Shutdown(canceled())
		k.hear("421", "EOF")
	})
}

// passiveRead is passive with a client that takes all that comes.
func (k *talker) passiveRead() {
	k.t.Helper()
	k.passive()
	go io.Copy(io.Discard, k.data.Conn)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
