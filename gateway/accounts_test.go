package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/auth"
	"causeway/configs"
)

// partners is a users file with one partner to a line.
const partners = `
templates:
  partner: {mounts: [{path: /, store: disk, prefix: "in/{user}/", rights: [list, read, write]}]}
users:
  - {name: acme, password: '` + hash + `', template: partner}
  - {name: globex, password: '` + hash + `', template: partner}
`

// withFiles is a configuration with users files of these texts.
func withFiles(t *testing.T, texts ...string) *configs.Config {
	t.Helper()
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: t.TempDir()}}
	dir := t.TempDir()
	for i, text := range texts {
		path := write(t, dir, fmt.Sprintf("users%d.yaml", i), text)
		cfg.Accounts = append(cfg.Accounts, configs.AccountSource{File: path})
	}
	return cfg
}

// rewrite puts a text into a users file, as an editor does.
func rewrite(t *testing.T, cfg *configs.Config, i int, text string) {
	t.Helper()
	path := cfg.Accounts[i].File
	if err := errors.Join(os.WriteFile(path+"~", []byte(text), 0o600), os.Rename(path+"~", path)); err != nil {
		t.Fatal(err)
	}
}

// look has the gateway take over what has changed in its users files.
func (r *running) look(t *testing.T) {
	t.Helper()
	for range 2 { // it waits for a file to stay as it is
		r.accounts.Load().reload(t.Context())
	}
}

// polled is accounts that look at their files in virtual time.
type polled struct {
	*accounts
	t   *testing.T
	log *syncBuffer
}

// poll runs a test with accounts in a bubble of virtual time.
func poll(t *testing.T, cfg *configs.Config, test func(t *testing.T, p polled)) {
	synctest.Test(t, func(t *testing.T) {
		log := new(syncBuffer)
		a, err := newAccounts(t.Context(), cfg, NewLog(log, configs.Log{Format: "json", Level: "info"}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		go a.run(ctx)
		test(t, polled{a, t, log})
		stop()
		synctest.Wait()
		if strings.Contains(log.String(), hash) {
			t.Errorf("a hash is in the log:\n%s", log)
		}
	})
}

// in tells whether an account can be logged in to once the files have been looked at.
func (p polled) in(name string) bool {
	p.t.Helper()
	time.Sleep(2*pollAccounts + time.Second)
	return p.holds(name)
}

// holds is in without the wait.
func (p polled) holds(name string) bool {
	p.t.Helper()
	account, err := p.users.Login(p.t.Context(), auth.Attempt{Name: name, Password: password, Remote: netip.MustParseAddr("192.0.2.1")})
	if err != nil && !errors.Is(err, auth.ErrLogin) {
		p.t.Error(err)
	}
	return err == nil && account.Name == name
}

func TestUsersFileIsReadAgain(t *testing.T) {
	cfg := withFiles(t, partners)
	poll(t, cfg, func(t *testing.T, p polled) {
		if !p.in("acme") || !p.in("globex") || p.in("initech") {
			t.Error("the accounts are not those of the file")
		}
		changed := strings.ReplaceAll(partners, "acme", "initech")
		rewrite(t, cfg, 0, strings.ReplaceAll(changed, "name: globex", "disabled: true, name: globex"))
		if p.in("acme") || p.in("globex") || !p.in("initech") {
			t.Error("the accounts are not those of the changed file")
		}
		if n := strings.Count(p.log.String(), "accounts were read again"); n != 1 {
			t.Errorf("told %d times:\n%s", n, p.log)
		}
	})
}

// TestBrokenUsersFileChangesNothing: it is told once, with what is wrong, and the accounts
// stay; so they do if the file goes or is opened to everybody. Other files are taken over
// meanwhile.
func TestBrokenUsersFileChangesNothing(t *testing.T) {
	cfg := withFiles(t, partners, "users: []")
	second := strings.NewReplacer("acme", "initech", "globex", "hooli").Replace(partners)
	path := cfg.Accounts[0].File
	poll(t, cfg, func(t *testing.T, p polled) {
		for _, c := range []struct {
			name  string
			spoil func()
			told  string
		}{
			{"form", func() { rewrite(t, cfg, 0, partners+"  - {name: x}\nuser: []\n") }, "users[2].password: is missing"},
			{"hash", func() { rewrite(t, cfg, 0, strings.Replace(partners, "$1$", "$9$", 1)) }, "users[0].password: is not a password hash"},
			{"too dear", func() { rewrite(t, cfg, 0, strings.Replace(partners, hash, dear, 1)) }, "too dear to check"},
			{"empty", func() { rewrite(t, cfg, 0, "\n") }, "is empty; write users: []"},
			{"gone", func() { os.Remove(path) }, "no such file"},
			{"open to all", func() { rewrite(t, cfg, 0, partners); os.Chmod(path, 0o644) }, "open to every user"},
		} {
			before := strings.Count(p.log.String(), `"level":"ERROR"`)
			c.spoil()
			if !p.in("acme") || !p.in("globex") || p.in("x") {
				t.Errorf("%s: the accounts are not as they were", c.name)
			}
			if n := strings.Count(p.log.String(), `"level":"ERROR"`) - before; n != 1 || !strings.Contains(p.log.String(), c.told) {
				t.Errorf("%s: told %d times:\n%s", c.name, n, p.log)
			}
		}
		rewrite(t, cfg, 1, second)
		if !p.in("initech") || !p.in("acme") {
			t.Error("a file that is right waits for one that is not")
		}
		rewrite(t, cfg, 0, strings.ReplaceAll(partners, "acme", "acme2"))
		if !p.in("acme2") || p.in("acme") {
			t.Error("the mended file is not taken")
		}
	})
}

// dear is a hash that takes more memory than any may.
const dear = "$argon2id$v=19$m=999999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGFzaGFzaGFzaGFzaGFzaA"

func TestFirstOfOneNameCounts(t *testing.T) {
	cfg := withFiles(t, partners, strings.ReplaceAll(partners, "prefix: \"in/", "prefix: \"other/"))
	cfg.Users = []configs.User{{Name: "globex", Password: hash, Disabled: true, Mounts: []configs.Mount{{Path: "/", Store: "disk"}}}}
	poll(t, cfg, func(t *testing.T, p polled) {
		if p.in("globex") {
			t.Error("a disabled account is passed over")
		}
		account, err := p.users.Login(t.Context(), auth.Attempt{Name: "acme", Password: password})
		if err != nil || account.Grants[0].Prefix != "in/acme/" {
			t.Errorf("%+v, %v", account, err)
		}
		var out bytes.Buffer
		whole := p.check(&out)
		if got := out.String(); strings.Count(got, "\n") != 3 || !strings.Contains(got, cfg.Accounts[1].File+":5: users[0].name: \"acme\" is the name of an account that is asked before") {
			t.Errorf("check tells:\n%s", got)
		}
		if len(whole.Users) != 2 || whole.Users[1].Mounts[0].Prefix != "in/acme/" {
			t.Errorf("check tries %+v", whole.Users)
		}
	})
}

// TestS52_AllProblemsOfUsersFilesAreTold: of each file, whatever is wrong with the others.
func TestS52_AllProblemsOfUsersFilesAreTold(t *testing.T) {
	cfg := withFiles(t, "users: [{name: a}, {name: b}]", "user: []", partners, partners, strings.Replace(partners, hash, dear, 1))
	cfg.Users = []configs.User{{Name: "c", Password: dear}}
	if err := errors.Join(os.Chmod(cfg.Accounts[2].File, 0o604), os.Remove(cfg.Accounts[3].File)); err != nil {
		t.Fatal(err)
	}
	_, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"users[0].password: the hash is damaged",
		"users0.yaml:1: users[0].password: is missing", "users0.yaml:1: users[1].mounts: there are none",
		"users1.yaml:1: user: unknown key", "accounts[2].file: ", "chmod o= ", "accounts[3].file: cannot be read",
		"users4.yaml:5: users[0].password: the hash is damaged",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	if checked := Check(t.Context(), cfg, new(bytes.Buffer)); checked == nil || checked.Error() != err.Error() {
		t.Errorf("check tells:\n%v\nand not:\n%v", checked, err)
	}
	if strings.Contains(err.Error(), dear) {
		t.Errorf("a hash shows:\n%v", err)
	}
}

// TestS42_NobodyLearnsWhyAnAccountIsClosed: accounts that are disabled, have expired or are
// for another network answer as to a wrong password; the log has the reason.
func TestS42_NobodyLearnsWhyAnAccountIsClosed(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) {
		mounts := cfg.Users[0].Mounts
		cfg.Users = append(cfg.Users,
			configs.User{Name: "off1", Password: hash, Mounts: mounts, Disabled: true},
			configs.User{Name: "off2", Password: hash, Mounts: mounts, Expires: configs.Date{Year: 2020, Month: 1, Day: 1}},
			configs.User{Name: "off3", Password: hash, Mounts: mounts, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		)
	})
	answers := map[string]bool{}
	for _, attempt := range [][2]string{{"cam1", "wrong canary"}, {"off1", password}, {"off2", password}, {"off3", password}} {
		c := dial(t, r.explicit, nil)
		answer := c.do(331, "USER "+attempt[0]) + "|" + c.do(530, "PASS "+attempt[1]) + "|" + c.do(530, "PWD")
		answers[strings.ReplaceAll(answer, attempt[0], "")] = true
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %v", answers)
	}
	for _, reason := range []error{auth.ErrDisabled, auth.ErrExpired, auth.ErrNetwork} {
		if n := strings.Count(r.log.String(), reason.Error()); n != 1 {
			t.Errorf("%q is in the log %d times", reason, n)
		}
	}
}

// TestS40_PartnerOfATemplate: a line in the users file of a gateway that runs is a door, to
// the partner's own prefix, and without it there is none.
func TestS40_PartnerOfATemplate(t *testing.T) {
	t.Parallel()
	cfg := withFiles(t, partners)
	r := start(t, func(c *configs.Config) { c.Accounts = cfg.Accounts })
	c := dial(t, r.explicit, nil)
	c.login("acme", password)
	c.upload("/new.txt", "for acme")
	if on, err := os.ReadFile(filepath.Join(r.dir, "in/acme/new.txt")); err != nil || string(on) != "for acme" {
		t.Errorf("on disk: %q, %v", on, err)
	}
	other := dial(t, r.explicit, nil)
	other.login("globex", password)
	if got := other.download("NLST /"); got != "" {
		t.Errorf("globex sees %q", got)
	}
	rewrite(t, cfg, 0, "users: []")
	r.look(t)
	late := dial(t, r.explicit, nil)
	late.do(331, "USER acme")
	late.do(530, "PASS "+password)
}

// TestA13_X20_SessionsOfRemovedAccountsEnd at their next command; an upload that runs comes to
// its end.
func TestA13_X20_SessionsOfRemovedAccountsEnd(t *testing.T) {
	t.Parallel()
	cfg := withFiles(t, partners)
	r := start(t, func(c *configs.Config) { c.Accounts = cfg.Accounts })
	idle, busy, staying := dial(t, r.explicit, nil), dial(t, r.explicit, nil), dial(t, r.explicit, nil)
	idle.login("acme", password)
	busy.login("acme", password)
	staying.login("cam1", password)
	data := busy.data("STOR /slow.txt")
	rewrite(t, cfg, 0, strings.Replace(partners, "name: acme", "disabled: true, name: acme", 1))
	r.look(t)
	idle.do(421, "PWD")
	if line, err := idle.text.ReadLine(); err == nil {
		t.Errorf("after the goodbye: %q", line)
	}
	staying.do(257, "PWD")
	fmt.Fprint(data, "to the end")
	data.Close()
	busy.expect(226)
	if on, err := os.ReadFile(filepath.Join(r.dir, "in/acme/slow.txt")); err != nil || string(on) != "to the end" {
		t.Errorf("on disk: %q, %v", on, err)
	}
	busy.do(421, "STOR /next.txt")
	if !strings.Contains(r.log.String(), auth.ErrDisabled.Error()) {
		t.Errorf("the reason is not logged:\n%s", r.log)
	}
}

func TestEditAccountsWritesNothingWrong(t *testing.T) {
	cfg := withFiles(t, partners)
	err := EditAccounts(t.Context(), cfg, 0, func(text []byte) ([]byte, error) { return append(text, "user: x"...), nil })
	var p *configs.Problem
	if !errors.As(err, &p) || p.Field != "user" {
		t.Errorf("a wrong edit: %v", err)
	}
	if text, err := os.ReadFile(cfg.Accounts[0].File); err != nil || string(text) != partners {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestOneLineForTheLog(t *testing.T) {
	if got := oneLine("a\nb"); got != "a | b" {
		t.Errorf("got %q", got)
	}
	if got := oneLine(strings.Repeat("x\n", 19) + "x"); strings.Count(got, "x") != maxProblems || !strings.Contains(got, "and 10 more") {
		t.Errorf("got %q", got)
	}
}
