package ftp

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestA13_RevokedAccountsEndAtTheNextCommand: whatever it is, but for those during a
// transfer, which runs to its end.
func TestA13_RevokedAccountsEndAtTheNextCommand(t *testing.T) {
	for _, c := range []struct{ name, verb string }{{"known", "PWD"}, {"unknown", "FROB"}, {"before login", "USER u"}, {"goodbye", "QUIT"}} {
		t.Run(c.name, func(t *testing.T) {
			var gone error
			bubble(t, revocable(&gone), ListenOptions{}, func(t *testing.T, k *talker) {
				k.login()
				k.say("NOOP", "200")
				gone = errors.New("gone")
				k.say(c.verb, "421", "EOF")
			})
		})
	}
	t.Run("transfer", func(t *testing.T) {
		var gone error
		bubble(t, revocable(&gone), ListenOptions{}, func(t *testing.T, k *talker) {
			k.login()
			k.passive()
			k.say("STOR new.txt", "150")
			gone = errors.New("gone")
			k.say("NOOP", "200")
			k.data.Write([]byte("all of it"))
			k.data.Close()
			k.hear("226")
			wantContent(t, k.files, "new.txt", "all of it")
			k.say("SIZE new.txt", "421", "EOF")
		})
	})
}

// revocable is a server whose accounts are revoked once why is set.
func revocable(why *error) func(*fakeFS) Config {
	return func(files *fakeFS) Config {
		c := testConfig(files)
		login := c.Login
		c.Login = func(ctx context.Context, who Credentials) (*Account, error) {
			account, err := login(ctx, who)
			if err == nil {
				account.Revoked = func() error { return *why }
			}
			return account, err
		}
		return c
	}
}

// TestA2_HowLongARefusalTookToJudgeDoesNotShow within the pause before its answer.
func TestA2_HowLongARefusalTookToJudgeDoesNotShow(t *testing.T) {
	for _, took := range []time.Duration{0, time.Millisecond, failureDelay - 1} {
		config := func(files *fakeFS) Config {
			c := testConfig(files)
			c.Login = func(context.Context, Credentials) (*Account, error) {
				time.Sleep(took)
				return nil, ErrLogin
			}
			return c
		}
		bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
			k.hear("220")
			k.say("USER u\nPASS x", "331")
			time.Sleep(failureDelay - 1)
			k.hear()
			time.Sleep(time.Nanosecond)
			k.hear("530")
		})
	}
}
