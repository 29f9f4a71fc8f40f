package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// conditions are accounts that let nobody in from 192.0.2.1 in the year 2000, at which
// synctest's clocks begin, each for a reason of its own.
func conditions() []User {
	users := []User{user("disabled", cheap), user("expired", cheap), user("elsewhere", cheap), user("all", cheap)}
	users[0].Disabled = true
	users[1].Expires = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	users[2].Networks = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	users[3].Disabled, users[3].Expires, users[3].Networks = true, users[1].Expires, users[2].Networks
	return users
}

// TestA2_S42_WhoIsNotLetInCostsTheSame: an account that is disabled, has expired or is for
// other networks verifies one hash whatever the password, and is refused as a wrong
// password is. Why is told only if the password was right, and only to the caller.
func TestA2_S42_WhoIsNotLetInCostsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := mustNew(t, conditions(), nil)
		recorders := record(u)
		for i, c := range []struct {
			name string
			why  error
		}{{"disabled", ErrDisabled}, {"expired", ErrExpired}, {"elsewhere", ErrNetwork}, {"all", ErrDisabled}} {
			for n, password := range []string{"secret", "wrong"} {
				account, err := u.Login(t.Context(), Attempt{Name: c.name, Password: password, Remote: netip.MustParseAddr("192.0.2.1")})
				if account != nil || !errors.Is(err, ErrLogin) {
					t.Errorf("%s/%s: %v, %v", c.name, password, account, err)
				}
				if right := password == "secret"; errors.Is(err, c.why) != right || !right && fmt.Sprint(err) != ErrLogin.Error() {
					t.Errorf("%s/%s: the reason is %v", c.name, password, err)
				}
				if got := recorders[i].count.Load(); got != int64(n+1) {
					t.Errorf("%s: %d verifications of its own hash, want %d", c.name, got, n+1)
				}
			}
		}
	})
}

func TestWhoIsLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := user("limited", cheap)
		limited.Expires = time.Now().Add(time.Hour)
		limited.Networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("fe80::/10")}
		u := mustNew(t, []User{limited, user("free", cheap)}, nil)
		try := func(name, remote string) error {
			_, err := u.Login(t.Context(), Attempt{Name: name, Password: "secret", Remote: netip.MustParseAddr(remote)})
			return err
		}
		for _, remote := range []string{"192.0.2.255", "::ffff:192.0.2.7", "fe80::1%eth0"} {
			if err := try("limited", remote); err != nil {
				t.Errorf("from %s: %v", remote, err)
			}
		}
		if err := try("limited", "192.0.3.0"); !errors.Is(err, ErrNetwork) {
			t.Errorf("from beside the network: %v", err)
		}
		time.Sleep(time.Hour)
		if err := try("limited", "192.0.2.255"); !errors.Is(err, ErrExpired) {
			t.Errorf("at the end: %v", err)
		}
		if err := try("free", "203.0.113.9"); err != nil {
			t.Errorf("an account without conditions: %v", err)
		}
	})
}

func TestReplace(t *testing.T) {
	u := mustNew(t, []User{user("a", cheap), user("b", cheap)}, nil)
	login := func(name string) error {
		_, err := u.Login(t.Context(), Attempt{Name: name, Password: "secret"})
		return err
	}
	if err := u.Replace([]User{user("c", "broken")}, nil); !errors.Is(err, ErrHash) || login("a") != nil {
		t.Errorf("what cannot be used: %v; then %v", err, login("a"))
	}
	if err := u.Replace([]User{user("b", cheap), user("c", cheap)}, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"a": ErrLogin, "b": nil, "c": nil} {
		if err := login(name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// TestS42_DecoysStay: a change of one account in a hundred gives few strangers another
// decoy. If all got one, a name that keeps its cost over changes would be an account's.
func TestS42_DecoysStay(t *testing.T) {
	var users []User
	for i := range 100 {
		users = append(users, user(fmt.Sprintf("user%d", i), cheap))
	}
	u := mustNew(t, users, nil)
	decoys := func() map[string]string {
		names := map[string]string{}
		table := u.table.Load()
		for i := range 1000 {
			name := fmt.Sprintf("stranger%d", i)
			names[name] = table.accounts[table.decoy(name)].user.Name
		}
		return names
	}
	before := decoys()
	if err := u.Replace(append(users[1:], user("new", cheap)), nil); err != nil {
		t.Fatal(err)
	}
	moved := 0
	for name, decoy := range decoys() {
		if decoy != before[name] {
			moved++
		}
	}
	if moved == 0 || moved > 100 {
		t.Errorf("%d of 1000 strangers have another decoy", moved)
	}
}

// TestA2_S42_UnfitConnectionsCostAHash: whether the password is right shows neither in the
// kind of the error nor in the work, whoever has judged it.
func TestA2_S42_UnfitConnectionsCostAHash(t *testing.T) {
	judged := &fake{answers: map[string]any{"judged": &Found{Right: true, Template: "x"}}}
	u, err := New([]User{user("own", cheap)}, nil, Hashes{}, link(1, judged))
	if err != nil {
		t.Fatal(err)
	}
	unfit, remote := errors.New("unfit"), netip.MustParseAddr("192.0.2.1")
	for range cap(u.gate.waiting) {
		u.gate.waiting <- struct{}{} // who computes a hash is told that all are busy
	}
	for _, name := range []string{"own", "judged"} {
		if _, err := u.Login(t.Context(), Attempt{Name: name, Password: "secret", Remote: remote, Fit: func(*Account) error { return unfit }}); !errors.Is(err, ErrBusy) {
			t.Errorf("%s without a hash: %v", name, err)
		}
	}
	for range cap(u.gate.waiting) {
		<-u.gate.waiting
	}
	for _, name := range []string{"own", "judged"} {
		asked := 0
		fit := func(result error) func(*Account) error { return func(*Account) error { asked++; return result } }
		if _, err := u.Login(t.Context(), Attempt{Name: name, Password: "secret", Remote: remote, Fit: fit(unfit)}); !errors.Is(err, ErrLogin) || !errors.Is(err, unfit) {
			t.Errorf("%s: %v", name, err)
		}
		if account, err := u.Login(t.Context(), Attempt{Name: name, Password: "secret", Remote: remote, Fit: fit(nil)}); err != nil || account.Name != name {
			t.Errorf("%s: %v, %v", name, account, err)
		}
		if asked != 2 {
			t.Errorf("%s: asked %d times", name, asked)
		}
	}
	if _, err := u.Login(t.Context(), Attempt{Name: "own", Password: "wrong", Fit: func(*Account) error { return unfit }}); !errors.Is(err, ErrLogin) || errors.Is(err, unfit) {
		t.Errorf("a wrong password: %v", err)
	}
}
