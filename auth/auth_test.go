package auth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// cheap is the hash of "secret" at the least cost.
const cheap = "$1$salt$ez2vlPGdaLYkJam5pWs/Y1"

func user(name, hash string) User { return User{Account: Account{Name: name}, Hash: hash} }

func mustNew(t *testing.T, users []User, anonymous *Account) *Users {
	t.Helper()
	u, err := New(users, anonymous, Hashes{})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestLogin(t *testing.T) {
	grants := []Grant{{Path: "/", Store: "disk", Prefix: "a/", Rights: List | Write}}
	u := mustNew(t, []User{
		{Account: Account{Name: "cam1", Grants: grants, Charset: "gbk"}, Hash: cheap},
		user("Cam1", "$2b$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS"),
		user("m\u00fcller", cheap),
	}, nil)
	for _, c := range []struct {
		name, password string
		want           string // "" for ErrLogin
	}{
		{"cam1", "secret", "cam1"},
		{"Cam1", "p\u00e4ssword #1", "Cam1"},
		{"mu\u0308ller", "secret", "m\u00fcller"}, // decomposed, as macOS sends it
		{"cam1", "Secret", ""},
		{"cam1", "secret ", ""},
		{"CAM1", "secret", ""},
		{"cam2", "secret", ""},
		{"anonymous", "secret", ""},
		{"ftp", "x@y", ""},
	} {
		account, err := u.Login(t.Context(), Attempt{Name: c.name, Password: c.password})
		switch {
		case c.want == "" && !errors.Is(err, ErrLogin):
			t.Errorf("%s/%s: %v, want ErrLogin", c.name, c.password, err)
		case c.want != "" && (err != nil || account.Name != c.want):
			t.Errorf("%s/%s: %v, %v", c.name, c.password, account, err)
		}
	}
	account, _ := u.Login(t.Context(), Attempt{Name: "cam1", Password: "secret"})
	if len(account.Grants) != 1 || !reflect.DeepEqual(account.Grants, grants) || account.Charset != "gbk" {
		t.Errorf("the account is not as configured: %+v", account)
	}
}

// TestA7_NotEvenAName: what cannot be a name or a password is refused, also when an
// account would match without its end.
func TestA7_NotEvenAName(t *testing.T) {
	u := mustNew(t, []User{user("cam1", cheap)}, &Account{Name: "anonymous"})
	for _, c := range [][2]string{
		{"", "secret"}, {"cam1", ""}, {"", ""},
		{"cam1\x00", "secret"}, {"cam1\x00x", "secret"}, {"cam1", "secret\x00"}, {"cam1", "secret\x00x"},
		{"cam1\n", "secret"}, {"cam1\x1b", "secret"}, {"cam1\u0085", "secret"}, {"cam1\xff", "secret"},
		{"ca\u00adm1", "secret"}, {"cam1\u200b", "secret"}, {"ca\u034fm1", "secret"}, {"cam1\ufe0f", "secret"}, {"\u202ecam1", "secret"},
		{"anonymous\x00", "x"}, {strings.Repeat("a", maxName+1), "secret"},
		{"cam1", strings.Repeat("a", maxPassword+1)},
	} {
		if account, err := u.Login(t.Context(), Attempt{Name: c[0], Password: c[1]}); !errors.Is(err, ErrLogin) {
			t.Errorf("%q/%q: %v, %v", c[0], c[1], account, err)
		}
	}
}

func TestS41_AnonymousLogsInWithAnyPassword(t *testing.T) {
	anonymous := &Account{Name: "anonymous", Grants: []Grant{{Path: "/public", Rights: List | Read}}}
	u := mustNew(t, nil, anonymous)
	for _, name := range []string{"anonymous", "Anonymous", "ftp", "FTP"} {
		for _, password := range []string{"", "me@example.com", "\xff"} {
			if account, err := u.Login(t.Context(), Attempt{Name: name, Password: password}); err != nil || account != anonymous {
				t.Errorf("%q/%q: %v, %v", name, password, account, err)
			}
		}
	}
	if _, err := u.Login(t.Context(), Attempt{Name: "root", Password: "x"}); !errors.Is(err, ErrLogin) {
		t.Errorf("a stranger without any account: %v", err)
	}
}

// recorder counts the verifications of one account's hash.
type recorder struct {
	digest
	count atomic.Int64
}

func (r *recorder) Match(password string) bool {
	r.count.Add(1)
	return r.digest.Match(password)
}

// record puts recorders in place of all digests.
func record(u *Users) []*recorder {
	accounts := u.table.Load().accounts
	recorders := make([]*recorder, len(accounts))
	for i := range accounts {
		recorders[i] = &recorder{digest: accounts[i].digest}
		accounts[i].digest = recorders[i]
	}
	return recorders
}

// TestA2_S42_UnknownUserCostsTheSame: each refused login verifies exactly one hash, names
// that do not exist always the same one, and all of them together every kind that there is.
func TestA2_S42_UnknownUserCostsTheSame(t *testing.T) {
	u := mustNew(t, []User{user("a", cheap), user("b", cheap), user("c", cheap)}, nil)
	recorders := record(u)
	total := func() (n int64) {
		for _, r := range recorders {
			n += r.count.Load()
		}
		return n
	}
	var errs []string
	for _, name := range []string{"a", "unknown", "anonymous"} {
		before := total()
		_, err := u.Login(t.Context(), Attempt{Name: name, Password: "wrong"})
		if n := total() - before; n != 1 {
			t.Errorf("%s: %d verifications", name, n)
		}
		errs = append(errs, fmt.Sprint(err))
	}
	if errs[0] != errs[1] || errs[0] != errs[2] {
		t.Errorf("the errors differ: %q", errs)
	}
	for i := range 100 {
		name := fmt.Sprintf("stranger%d", i)
		before := recorders[u.table.Load().decoy(name)].count.Load()
		for range 2 {
			if _, err := u.Login(t.Context(), Attempt{Name: name, Password: "secret"}); !errors.Is(err, ErrLogin) {
				t.Fatalf("%s got in: %v", name, err)
			}
		}
		if n := recorders[u.table.Load().decoy(name)].count.Load() - before; n != 2 {
			t.Errorf("%s: another decoy the second time", name)
		}
	}
	for i, r := range recorders {
		if r.count.Load() < 10 {
			t.Errorf("account %d is hardly ever a decoy: %d", i, r.count.Load())
		}
	}
}

// blocking is a digest that waits until it is let go.
type blocking struct {
	running *atomic.Int64
	most    *atomic.Int64
	release chan struct{}
}

func (b blocking) Match(string) bool {
	n := b.running.Add(1)
	defer b.running.Add(-1)
	for {
		most := b.most.Load()
		if n <= most || b.most.CompareAndSwap(most, n) {
			break
		}
	}
	<-b.release
	return true
}

// TestA6_HashingIsBounded: of 1,000 logins at once as many are verified as there are
// slots, the queue takes some more, and the rest are told at once.
func TestA6_HashingIsBounded(t *testing.T) {
	u := mustNew(t, []User{user("a", cheap)}, nil)
	synctest.Test(t, func(t *testing.T) {
		slow := blocking{running: new(atomic.Int64), most: new(atomic.Int64), release: make(chan struct{})}
		u.gate = newGate()
		u.table.Load().accounts[0].digest = slow
		slots := cap(u.gate.slots)
		var busy, in atomic.Int64
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				switch _, err := u.Login(t.Context(), Attempt{Name: "a", Password: "x"}); {
				case err == nil:
					in.Add(1)
				case errors.Is(err, ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := slow.running.Load(); n != int64(slots) {
			t.Errorf("%d verifications run, want %d", n, slots)
		}
		if n := busy.Load(); n != int64(1000-slots-maxWaiting) {
			t.Errorf("%d were refused at once", n)
		}
		close(slow.release)
		wg.Wait()
		if in.Load() != int64(slots+maxWaiting) || slow.most.Load() != int64(slots) {
			t.Errorf("%d got in, at most %d at once", in.Load(), slow.most.Load())
		}
		if len(u.gate.slots)+len(u.gate.waiting) != 0 {
			t.Error("places are lost")
		}
	})
}

func TestA6_WaitingEnds(t *testing.T) {
	u := mustNew(t, []User{user("a", cheap)}, nil)
	synctest.Test(t, func(t *testing.T) {
		slow := blocking{running: new(atomic.Int64), most: new(atomic.Int64), release: make(chan struct{})}
		u.gate = newGate()
		u.table.Load().accounts[0].digest = slow
		var wg sync.WaitGroup
		for range cap(u.gate.slots) {
			wg.Go(func() {
				if _, err := u.Login(t.Context(), Attempt{Name: "a", Password: "x"}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := u.Login(t.Context(), Attempt{Name: "a", Password: "x"}); !errors.Is(err, ErrBusy) {
			t.Errorf("after the longest wait: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := u.Login(ctx, Attempt{Name: "a", Password: "x"}); !errors.Is(err, context.Canceled) {
			t.Errorf("after cancelling: %v", err)
		}
		close(slow.release)
		wg.Wait()
	})
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		users []User
		index int
		want  error
	}{
		{[]User{user("a", cheap), user("a", cheap)}, 1, ErrTaken},
		{[]User{user("\u00e4", cheap), user("a\u0308", cheap)}, 1, ErrTaken},
		{[]User{user("", cheap)}, 0, ErrName},
		{[]User{user("a\n", cheap)}, 0, ErrName},
		{[]User{user("a\u00ad", cheap)}, 0, ErrName},
		{[]User{user("FTP", cheap)}, 0, ErrName},
		{[]User{user("a", "secret")}, 0, ErrHash},
	} {
		_, err := New(c.users, nil, Hashes{})
		var at *AccountError
		if !errors.Is(err, c.want) || !errors.As(err, &at) || at.Index != c.index {
			t.Errorf("%v: %v", c.users, err)
		}
	}
}
