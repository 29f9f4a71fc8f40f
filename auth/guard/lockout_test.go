package guard

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestA4_ThrottledAtTheAccount(t *testing.T) {
	virtual(t, Limits{AddressPerMinute: 1, AccountPerHour: 1}, func(t *testing.T, d *door) {
		d.login(nat, "victim", "guess")
		if got := d.login(stranger, "victim", "another"); got != throttled {
			t.Errorf("at the account: %s", got)
		}
		if got := d.login(stranger, "other", "another"); got != throttled {
			t.Errorf("at the address: %s", got)
		}
	})
}

func TestA4_ManyAddressesOneAccount(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		if d.login(nat, "victim", "right") != in {
			t.Fatal("cannot begin")
		}
		began := time.Now()
		for i := 0; time.Since(began) < 3*time.Hour; i++ {
			a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			d.guess(a, 1, time.Second, "victim")
			if i%100 == 0 {
				if got := d.login(nat, "victim", "right"); got != in {
					t.Errorf("the owner, after %v: %s", time.Since(began), got)
				}
			}
		}
		if most := d.most(time.Hour); most > 60 {
			t.Errorf("%d guesses within an hour", most)
		}
	})
}

func TestA5_SameNAT(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		if d.login(nat, "owner", "right") != in {
			t.Fatal("cannot begin")
		}
		for range 20 {
			d.guess(nat, 30, time.Second, "a", "b", "c")
			if got := d.login(nat, "owner", "right"); got != in || !d.Admit(nat) {
				t.Errorf("the owner: %s", got)
			}
		}
		if n := d.guess(nat, 10, time.Second, "a", "d"); n != 0 {
			t.Errorf("%d guesses during a ban", n)
		}
		d.guess(nat, 200, time.Second, "owner")
		if strings.Count(d.log.String(), "address banned") != 1 {
			t.Errorf("log: %s", d.log)
		}
	})
}

func TestA5_GuessesAtAKnownAccount(t *testing.T) {
	l := defaults
	l.BanAfter = 0
	virtual(t, l, func(t *testing.T, d *door) {
		d.login(nat, "owner", "right")
		d.guess(nat, 3*3600, time.Second, "owner")
		if minute, hour := d.most(time.Minute), d.most(time.Hour); minute > 10 || hour > 60 {
			t.Errorf("%d within a minute, %d within an hour", minute, hour)
		}
		if got := d.login(nat, "new", "right"); got != in {
			t.Errorf("another account at the address: %s", got)
		}
		if got := d.login(stranger, "owner", "right"); got != in {
			t.Errorf("the owner elsewhere: %s", got)
		}
	})
}

func TestA5_OldPasswordIsNoGuess(t *testing.T) {
	l := defaults
	l.BanAfter = 5
	virtual(t, l, func(t *testing.T, d *door) {
		for range 3600 {
			d.login(nat, "camera", "right of last year")
			time.Sleep(2 * time.Second)
		}
		if n := len(d.checked); n > 2*60+1 {
			t.Errorf("%d hashes in two hours", n)
		}
		if !d.Admit(nat) || d.login(nat, "other", "right") != in || d.login(nat, "camera", "right") != in {
			t.Error("somebody is locked out")
		}
	})
}

// TestA5_ManyOldPasswords: a site of devices whose passwords have all been changed is not
// banned, and whoever else is there gets in.
func TestA5_ManyOldPasswords(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		for began, i := time.Now(), 0; time.Since(began) < 6*time.Hour; i++ {
			device := fmt.Sprint("camera", i%40)
			d.login(nat, device, "right of last year for "+device)
			time.Sleep(time.Second)
			if !d.Admit(nat) {
				t.Fatalf("banned after %v", time.Since(began))
			}
		}
		time.Sleep(2 * time.Minute)
		if got := d.login(nat, "other", "right"); got != in {
			t.Errorf("another account: %s", got)
		}
	})
}

func TestA4_NamesAreOne(t *testing.T) {
	virtual(t, Limits{AccountPerHour: 1}, func(t *testing.T, d *door) {
		d.login(nat, "m\u00e4x", "guess")
		for _, name := range []string{"ma\u0308x", "MAX", " max ", "\uff4dax", "m\u00adax", "max\u200b", "ma\u034fx", "m\u3164ax", "max\ufe0f"} {
			if got := d.login(stranger, name, "another "+name); got != throttled {
				t.Errorf("%q: %s", name, got)
			}
		}
		if got := d.login(stranger, "min", "another"); got != wrong {
			t.Errorf("another name: %s", got)
		}
	})
}

func TestA4_MemoryIsBounded(t *testing.T) {
	virtual(t, defaults, func(t *testing.T, d *door) {
		d.hashing = 0
		d.login(nat, "owner", "right")
		for i := range 50_000 {
			d.login(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint("name", i), "guess")
		}
		if d.addresses.Len() > maxAddresses || d.failures.Len() > maxAddresses || d.known.Len() != 1 {
			t.Errorf("%d addresses, %d pairs, %d known", d.addresses.Len(), d.failures.Len(), d.known.Len())
		}
	})
}
