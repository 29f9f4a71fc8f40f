package gateway

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/auth/usersfile"
	"causeway/backends"
	"causeway/backends/localdir"
	"causeway/configs"
)

// withStored is a configuration whose users file is in its store.
func withStored(t *testing.T, text string) *configs.Config {
	t.Helper()
	cfg := withFiles(t)
	dir := cfg.Stores["disk"].Path
	if err := os.MkdirAll(filepath.Join(dir, ".causeway"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, ".causeway/users.yaml", text)
	cfg.Accounts = []configs.AccountSource{{Store: "disk", Key: ".causeway/users.yaml"}}
	return cfg
}

func TestUsersFileInAStoreIsReadAgain(t *testing.T) {
	cfg := withStored(t, partners)
	poll(t, cfg, func(t *testing.T, p polled) {
		if !p.in("acme") || p.in("initech") {
			t.Error("the accounts are not those of the file")
		}
		err := EditAccounts(t.Context(), cfg, 0, func(text []byte) ([]byte, error) {
			return []byte(strings.ReplaceAll(string(text), "acme", "initech")), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(pollStored)
		if p.in("acme") || !p.in("initech") {
			t.Error("the accounts are not those of the changed file")
		}
		path := filepath.Join(cfg.Stores["disk"].Path, ".causeway/users.yaml")
		if err := errors.Join(os.WriteFile(path+"~", []byte("users: [{}]"), 0o600), os.Rename(path+"~", path)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(pollStored)
		if !p.in("initech") || strings.Count(p.log.String(), `"level":"ERROR"`) != 1 || !strings.Contains(p.log.String(), "disk:.causeway/users.yaml") {
			t.Errorf("a broken file is taken, or not told:\n%s", p.log)
		}
	})
}

func TestS52_UsersFileThatIsInNoStore(t *testing.T) {
	cfg := withStored(t, partners)
	cfg.Accounts[0].Key = ".causeway/other.yaml"
	_, err := newAccounts(t.Context(), cfg, nil)
	var p *configs.Problem
	if !errors.As(err, &p) || p.Field != "accounts[0].key" || !strings.Contains(p.Right, "users: []") {
		t.Errorf("%v", err)
	}
}

// TestEditsOfAStoredFileAreNotLost: each of two gateways' editors has a store of its own.
func TestEditsOfAStoredFileAreNotLost(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "users.yaml", "users: []\n")
	const edits = 10
	var editors sync.WaitGroup
	var last backends.Backend
	for editor := range 2 {
		store, err := localdir.New(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		last = store
		editors.Go(func() {
			for i := range edits {
				err := usersfile.Edit(t.Context(), storedFile{store, "users.yaml"}, func(text []byte) ([]byte, error) {
					return usersfile.Add(text, usersfile.Entry{Name: fmt.Sprintf("user%d-%d", editor, i), Hash: hash})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	editors.Wait()
	text, version, err := storedFile{last, "users.yaml"}.Read(t.Context(), "")
	if n := strings.Count(string(text), "name: user"); err != nil || n != 2*edits {
		t.Errorf("%d accounts of %d, %v:\n%s", n, 2*edits, err, text)
	}
	if _, again, err := (storedFile{last, "users.yaml"}).Read(t.Context(), version); !errors.Is(err, usersfile.ErrUnchanged) || again != version {
		t.Errorf("read again: %v", err)
	}
	if err := (storedFile{last, "users.yaml"}).Replace(t.Context(), nil, "another"); !errors.Is(err, usersfile.ErrChanged) {
		t.Errorf("an edit that comes second: %v", err)
	}
}

// TestHalfWrittenUsersFileIsNotTaken: a file that is written in place, and is found cut at
// the end of a line, has lost no account.
func TestHalfWrittenUsersFileIsNotTaken(t *testing.T) {
	cfg := withFiles(t, partners)
	path := cfg.Accounts[0].File
	poll(t, cfg, func(t *testing.T, p polled) {
		time.Sleep(pollAccounts / 2)
		cut := strings.LastIndex(strings.TrimSpace(partners), "\n") + 1
		for _, text := range []string{partners[:cut], partners + "# the end\n"} {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			time.Sleep(pollAccounts)
			if !p.holds("globex") {
				t.Errorf("an account is lost with the file at %d octets", len(text))
			}
		}
		if !p.in("globex") || strings.Count(p.log.String(), "accounts were read again") != 1 {
			t.Errorf("the whole file is not taken:\n%s", p.log)
		}
	})
}
