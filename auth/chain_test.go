package auth

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// fake is a provider that answers by name, and writes down what it was asked.
type fake struct {
	answers map[string]any // *Found or error; ErrUnknown for others
	asked   []string
}

func (f *fake) Find(_ context.Context, a Attempt) (*Found, error) {
	f.asked = append(f.asked, a.Name)
	switch answer := f.answers[a.Name].(type) {
	case *Found:
		return answer, nil
	case error:
		return nil, answer
	}
	return nil, ErrUnknown
}

// link gives a provider's accounts one grant, by which they are known.
func link(rank int, p Provider) Link {
	return Link{Provider: p, Rank: rank, User: func(f *Found) (*User, error) {
		switch {
		case f.Template == "no":
			return nil, refused(errUnfit)
		case f.Template == "gone":
			return nil, errDown
		}
		grants := []Grant{{Prefix: f.Template + f.Values["home"] + "/"}}
		networks := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		return &User{Account: Account{Name: "overwritten", Grants: grants}, Hash: "overwritten", Networks: networks}, nil
	}}
}

var errUnfit = errors.New("unfit")

var errDown = errors.New("down")

// other is the hash of another password than cheap's: who has only accounts with one password
// takes the hash of any for that of each.
const other = "$1$salt$N14KlRTvDefsX42kgyUz7."

func TestA12_TheFirstWhoHasTheNameDecides(t *testing.T) {
	first := &fake{answers: map[string]any{
		"right": &Found{Right: true, Template: "first"}, "wrong": ErrLogin, "down": errDown,
		"hashed": &Found{Hash: cheap, Values: map[string]string{"home": "h"}}, "both": &Found{Right: true, Template: "first"},
		"no": &Found{Right: true, Template: "no"}, "gone": &Found{Hash: cheap, Template: "gone"}, "broken": &Found{Hash: "!"}, "unset": &Found{},
		"Late": &Found{Name: "late", Right: true, Template: "first"}, "Own": &Found{Name: "own", Right: true},
		"control": &Found{Name: "a\nb", Right: true}, "guest": &Found{Name: "ftp", Right: true},
		"hno": &Found{Hash: cheap, Template: "no"}, "hOwn": &Found{Name: "own", Hash: cheap},
	}}
	all := map[string]any{}
	for name := range first.answers {
		all[name] = &Found{Right: true, Template: "second"}
	}
	all["only"] = &Found{Right: true, Template: "second"}
	for _, name := range []string{"right", "wrong", "down", "only"} {
		all[strings.ToUpper(name)] = &Found{Name: name, Right: true, Template: "second"}
	}
	all["HASHED"] = &Found{Name: "hashed", Hash: cheap, Template: "second"}
	second := &fake{answers: all}
	own, late := user("own", other), user("late", other)
	late.Rank = 2
	here := netip.MustParseAddr("192.0.2.1")
	u, err := New([]User{own, late, {Account: Account{Name: "both"}, Hash: other, Rank: 1}}, nil, Hashes{}, link(2, second), link(1, first))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		prefix string // of the grant; "-" for none
		want   error
	}{
		{"right", "first/", nil}, {"wrong", "", ErrLogin}, {"down", "", errDown},
		{"hashed", "h/", nil}, {"no", "", errUnfit}, {"gone", "", errDown}, {"broken", "", ErrHash}, {"unset", "", ErrHash},
		{"both", "-", nil}, {"own", "-", nil}, {"late", "-", nil}, {"only", "second/", nil}, {"none", "", ErrLogin},
		{"Late", "first/", nil}, {"Own", "", ErrTaken}, {"control", "", errProvider}, {"guest", "", errProvider},
		{"ftp", "", ErrLogin}, {"hno", "", errUnfit}, {"hOwn", "", ErrTaken},
		{"RIGHT", "", ErrTaken}, {"WRONG", "", ErrTaken}, {"DOWN", "", errDown}, {"HASHED", "", ErrTaken}, {"ONLY", "second/", nil},
	} {
		password := "secret"
		if c.prefix == "-" {
			password = "other"
		}
		account, err := u.Login(t.Context(), Attempt{Name: c.name, Password: password, Remote: here})
		switch {
		case !errors.Is(err, c.want):
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		case c.want != nil && account != nil:
			t.Errorf("%s: in with %v", c.name, err)
		case c.want == nil && (c.prefix == "-") != (len(account.Grants) == 0):
			t.Errorf("%s: %+v", c.name, account)
		case c.want == nil && c.prefix != "-" && (account.Grants[0].Prefix != c.prefix || account.Name != strings.ToLower(c.name)):
			t.Errorf("%s: %+v", c.name, account)
		}
	}
	if got, want := strings.Join(second.asked, " "), "only none RIGHT WRONG DOWN HASHED ONLY"; got != want {
		t.Errorf("the second was asked for %s, want %s", got, want)
	}
	for _, name := range []string{"hashed", "gone", "hno", "hOwn", "HASHED"} {
		if _, err := u.Login(t.Context(), Attempt{Name: name, Password: "wrong", Remote: here}); err != ErrLogin { //nolint:errorlint // no reason may be in it
			t.Errorf("%s: a wrong password for a provider's hash: %v", name, err)
		}
	}
	if _, err := u.Login(t.Context(), Attempt{Name: "right", Password: "secret", Remote: netip.MustParseAddr("198.51.100.1")}); !errors.Is(err, ErrNetwork) {
		t.Errorf("from beside the template's network: %v", err)
	}
}

// TestS42_ProvidersRefuseAtOneCost: whatever the reason of a refusal, it verifies one hash.
func TestS42_ProvidersRefuseAtOneCost(t *testing.T) {
	p := &fake{answers: map[string]any{
		"wrong": ErrLogin, "disabled": &Found{Right: true, Disabled: true},
		"expired": &Found{Right: true, Expires: time.Unix(1, 0)},
		"unfit":   &Found{Right: true, Template: "no"}, "elsewhere": &Found{Right: true, Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}},
	}}
	u, err := New(nil, nil, Hashes{}, link(1, p))
	if err != nil {
		t.Fatal(err)
	}
	hash := record(u)[0]
	for n, c := range []struct {
		name string
		want error
	}{{"wrong", ErrLogin}, {"unknown", ErrLogin}, {"disabled", ErrDisabled}, {"expired", ErrExpired}, {"elsewhere", ErrNetwork}, {"unfit", errUnfit}} {
		_, err := u.Login(t.Context(), Attempt{Name: c.name, Password: "secret", Remote: netip.MustParseAddr("192.0.2.1")})
		if !errors.Is(err, ErrLogin) || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := hash.count.Load(); got != int64(n+1) {
			t.Errorf("%s: %d verifications, want one", c.name, got-int64(n))
		}
	}
}

// TestA13_AdmitsTellsWhatHasChanged since an account has logged in.
func TestA13_AdmitsTellsWhatHasChanged(t *testing.T) {
	found := &Found{Right: true, Expires: time.Now().Add(time.Hour)}
	p := &fake{answers: map[string]any{"told": found}}
	anonymous := &Account{Name: "anonymous"}
	u, err := New([]User{user("stays", cheap), user("goes", cheap), user("off", cheap)}, anonymous, Hashes{}, link(1, p))
	if err != nil {
		t.Fatal(err)
	}
	remote := netip.MustParseAddr("192.0.2.1")
	accounts := map[string]*Account{}
	for _, name := range []string{"stays", "goes", "off", "told", "ftp"} {
		if accounts[name], err = u.Login(t.Context(), Attempt{Name: name, Password: "secret", Remote: remote}); err != nil {
			t.Fatal(name, err)
		}
		if err := u.Admits(accounts[name], remote); err != nil {
			t.Errorf("%s, at first: %v", name, err)
		}
	}
	off := user("off", cheap)
	off.Disabled = true
	if err := u.Replace([]User{user("stays", cheap), off}, nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"stays": nil, "goes": ErrUnknown, "off": ErrDisabled, "told": nil, "ftp": ErrUnknown} {
		if err := u.Admits(accounts[name], remote); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	accounts["told"].found.Expires = time.Unix(1, 0)
	if err := u.Admits(accounts["told"], remote); !errors.Is(err, ErrExpired) {
		t.Errorf("an expiry that a provider told: %v", err)
	}
}

// voucher is a fake that needs no password.
type voucher struct{ *fake }

func (voucher) Vouches() bool { return true }

// TestA14_VouchAsksNobodyWhoNeedsAPassword, and nobody behind who does.
func TestA14_VouchAsksNobodyWhoNeedsAPassword(t *testing.T) {
	right := map[string]any{"first": &Found{Right: true}, "early": &Found{Right: true}, "late": &Found{Right: true}, "behind": &Found{Right: true}, "hashed": &Found{Hash: cheap}}
	first, second, third := voucher{&fake{}}, &fake{answers: right}, voucher{&fake{answers: right}}
	first.answers = map[string]any{
		"first": right["first"], "early": right["early"], "late": right["late"], "hashed": right["hashed"], "ftp": right["first"],
		"wrong": refused(ErrCertificate), "off": &Found{Right: true, Disabled: true}, "no": &Found{Right: true, Template: "no"},
	}
	late := user("late", cheap)
	late.Rank = 2
	u, err := New([]User{user("early", cheap), late}, nil, Hashes{}, link(1, first), link(3, second), link(4, third))
	if err != nil {
		t.Fatal(err)
	}
	here := netip.MustParseAddr("192.0.2.1")
	for name, want := range map[string]error{
		"first": nil, "late": nil, "early": ErrNeeded, "behind": ErrNeeded, "hashed": ErrLogin, "wrong": ErrCertificate,
		"off": ErrDisabled, "no": errUnfit, "ftp": ErrLogin, "a\nb": ErrLogin,
	} {
		account, err := u.Vouch(t.Context(), Attempt{Name: name, Password: "never told", Remote: here})
		if !errors.Is(err, want) || (err == nil) != (account != nil) || account != nil && account.Name != name {
			t.Errorf("%s: %+v, %v, want %v", name, account, err, want)
		}
	}
	if _, err := u.Vouch(t.Context(), Attempt{Name: "first", Remote: netip.MustParseAddr("198.51.100.1")}); !errors.Is(err, ErrNetwork) {
		t.Errorf("from beside the network: %v", err)
	}
	if len(second.asked)+len(third.asked) > 0 {
		t.Errorf("asked: %v, %v", second.asked, third.asked)
	}
}
