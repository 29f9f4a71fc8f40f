package gateway

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/auth"
	"causeway/auth/usersfile"
	"causeway/configs"
)

// rehashing runs a test with accounts of the file partners, with comments, that hash anew.
func rehashing(t *testing.T, rehash bool, test func(t *testing.T, cfg *configs.Config, p polled)) {
	t.Helper()
	cfg := withFiles(t, "# all of them\n"+strings.ReplaceAll(partners, "template: partner}\n", "template: partner}   # one\n\n"))
	cfg.Accounts[0].Rehash = rehash
	poll(t, cfg, func(t *testing.T, p polled) {
		go p.rehash.run(t.Context())
		test(t, cfg, p)
	})
}

// read is the text of the users file.
func read(t *testing.T, cfg *configs.Config) string {
	t.Helper()
	text, err := os.ReadFile(cfg.Accounts[0].File)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRehashOnLogin: a login with an old hash puts an argon2id one of the same password in
// its place, and changes nothing else of the file.
func TestRehashOnLogin(t *testing.T) {
	rehashing(t, true, func(t *testing.T, cfg *configs.Config, p polled) {
		before := read(t, cfg)
		if _, err := p.users.Login(t.Context(), auth.Attempt{Name: "globex", Password: "wrong"}); !errors.Is(err, auth.ErrLogin) {
			t.Error(err)
		}
		for range 3 {
			if !p.in("acme") {
				t.Fatal("the login does not work")
			}
		}
		after := read(t, cfg)
		got, ok := strings.CutPrefix(after[strings.Index(after, "acme"):], "acme, password: '")
		made, _, _ := strings.Cut(got, "'")
		if !ok || !strings.HasPrefix(made, "$argon2id$") || strings.Replace(before, hash, made, 1) != after {
			t.Errorf("the file is\n%s", after)
		}
		if _, err := p.users.Login(t.Context(), auth.Attempt{Name: "acme", Password: "wrong"}); !errors.Is(err, auth.ErrLogin) {
			t.Errorf("a wrong password for the new hash: %v", err)
		}
		if n := strings.Count(p.log.String(), "hashed anew"); n != 1 || strings.Contains(p.log.String(), made) || strings.Contains(p.log.String(), password) {
			t.Errorf("told %d times:\n%s", n, p.log)
		}
	})
}

// TestRehashIsAfterTheLogin: a login is answered before anything is done, so that its time
// tells nothing of it.
func TestRehashIsAfterTheLogin(t *testing.T) {
	rehashing(t, true, func(t *testing.T, cfg *configs.Config, p polled) {
		before, begin := read(t, cfg), time.Now()
		if _, err := p.users.Login(t.Context(), auth.Attempt{Name: "acme", Password: password}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if took := time.Since(begin); took != 0 || read(t, cfg) != before {
			t.Errorf("the login waited %v", took)
		}
	})
}

func TestRehashOnlyWhereAsked(t *testing.T) {
	rehashing(t, false, func(t *testing.T, cfg *configs.Config, p polled) {
		before := read(t, cfg)
		first, second := p.in("acme"), p.in("acme")
		if !first || !second || read(t, cfg) != before {
			t.Errorf("the file is\n%s", read(t, cfg))
		}
	})
}

// TestRehashReplacesWhatWasChecked: a password that was changed meanwhile stays.
func TestRehashReplacesWhatWasChecked(t *testing.T) {
	rehashing(t, true, func(t *testing.T, cfg *configs.Config, p polled) {
		changed := strings.Replace(read(t, cfg), hash, "$1$salt$ez2vlPGdaLYkJam5pWs/Y1", 1)
		rewrite(t, cfg, 0, changed) // has not been looked at yet
		if err := p.rehash.rehash(t.Context(), auth.Proof{Name: "acme", Hash: hash, Password: password}); !errors.Is(err, usersfile.ErrOtherPassword) || read(t, cfg) != changed {
			t.Errorf("%v:\n%s", err, read(t, cfg))
		}
		p.reload(t.Context())
		p.reload(t.Context()) // it waits for a file to stay as it is
		if err := p.rehash.rehash(t.Context(), auth.Proof{Name: "acme", Hash: hash, Password: password}); !errors.Is(err, errNotAsked) || read(t, cfg) != changed {
			t.Errorf("once it is known: %v:\n%s", err, read(t, cfg))
		}
	})
}

// TestRehashThatFails: the old hash serves on, and the log says so once.
func TestRehashThatFails(t *testing.T) {
	rehashing(t, true, func(t *testing.T, cfg *configs.Config, p polled) {
		if err := os.Chmod(cfg.Accounts[0].File, 0o644); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if !p.in("acme") || !p.in("globex") {
				t.Error("the old hash does not serve")
			}
		}
		if n := strings.Count(p.log.String(), "could not be hashed anew"); n != 1 || strings.Contains(p.log.String(), password) {
			t.Errorf("told %d times:\n%s", n, p.log)
		}
	})
}
