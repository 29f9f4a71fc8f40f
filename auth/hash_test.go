package auth

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// vectors are hashes of "pässword #1" made by glibc's crypt(3) and OpenSSL.
func vectors() []string {
	return []string{
		"$1$saltsalt$goMxXeqxJkM5bLX9doQ79.",
		"$5$saltsalt$edeJijhPkxDk8E9S4n0E8sAQLaPeWODKcdET8bvCED4",
		"$5$rounds=1000$saltsaltsaltsalt$f0lgUxAcAxFa/5Y9KQLx8piwlc2wbmmL9SBfWSd2XE6",
		"$6$saltsalt$W4y5GxgbOZlVPukTfLHr.ikK9ZrOFfREyyK/uw7NVoaZ.Huef6Xf49gnIUrNdyRfvPzoLghL4fy0omjBJ6dTa0",
		"$6$rounds=1000$saltsalt$hDnzMYCwGad68pMMDfpdONZj8SkdSoEMcfOdljvqF8QZ9TceaZmJ5W7egWEwpYC9ZVQKg4zDfCDLd5AtWTw7x0",
		"$2b$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$2a$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$2y$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$y$j75$abcdefghijklmnop$kUDrhlydGBVBjIHkcGF4HrwsxQpHSVwDScOTBtbQKB1",
		"$y$j75$abcdefghijklmnopqrstu.$x5bfaVVGVsU.6oyQuIlHMO5yWCXqDJ.MfF2SchWnX60",
	}
}

// recorded are the hashes of testdata/hashes.txt and their password. Those of DES are apart.
func recorded(tb testing.TB) (hashes, des []string, password string) {
	tb.Helper()
	text, err := os.ReadFile("testdata/hashes.txt")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		hash, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		switch {
		case hash[0] == '#':
		case password == "":
			password = hash
		case len(hash) == 13:
			des = append(des, hash)
		default:
			hashes = append(hashes, hash)
		}
	}
	if len(hashes) < 30 || len(des) < 5 {
		tb.Fatalf("%d and %d hashes", len(hashes), len(des))
	}
	return hashes, des, password
}

func TestHashesOfOldServers(t *testing.T) {
	hashes, des, password := recorded(t)
	decoder := newDecoder(Hashes{DES: true})
	for _, hash := range slices.Concat(vectors(), hashes, des) {
		d, err := decoder.digest(hash)
		if err != nil {
			t.Errorf("%s: %v", hash, err)
			continue
		}
		if !d.Match(password) {
			t.Errorf("%s does not match", hash)
		}
		if wrong := "P" + password[1:]; d.Match(wrong) {
			t.Errorf("%s matches anything", hash)
		}
		if sameStart := password[:8] + "?"; d.Match(sameStart) != slices.Contains(des, hash) {
			t.Errorf("%s: eight octets count, and for DES alone", hash)
		}
	}
}

// TestDESIsTakenByNameOnly: eight characters are too few to be taken unasked.
func TestDESIsTakenByNameOnly(t *testing.T) {
	_, des, _ := recorded(t)
	for _, hash := range append(des, "{CRYPT}"+des[0]) {
		if _, err := New([]User{user("a", hash)}, nil, Hashes{}); !errors.Is(err, ErrHash) {
			t.Errorf("%s: %v", hash, err)
		}
		if _, err := New([]User{user("a", hash)}, nil, Hashes{DES: true}); err != nil {
			t.Errorf("%s, allowed: %v", hash, err)
		}
	}
}

func TestHash(t *testing.T) {
	first, err := Hash("secret")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", first)
	}
	d, err := newDecoder(Hashes{}).digest(first)
	if err != nil || !d.Match("secret") || d.Match("Secret") {
		t.Errorf("the hash does not serve: %v", err)
	}
	if second, err := Hash("secret"); err != nil || second == first {
		t.Errorf("the salt is not new: %v", err)
	}
	for _, password := range []string{"", "a\nb", "a\rb", "a\x00b", strings.Repeat("x", maxPassword+1)} {
		if _, err := Hash(password); !errors.Is(err, ErrPassword) {
			t.Errorf("%.10q: %v", password, err)
		}
	}
}

// TestHashOfNobodyIsAsDear: who has no accounts must not be quicker to refuse.
func TestHashOfNobodyIsAsDear(t *testing.T) {
	hash, err := Hash("x")
	if err != nil {
		t.Fatal(err)
	}
	parameters, _, _ := strings.Cut(hash, "p=1$")
	if _, err := newDecoder(Hashes{}).digest(nobody); err != nil || !strings.HasPrefix(nobody, parameters) {
		t.Errorf("%s is not like %s: %v", nobody, hash, err)
	}
}

func TestHashesThatAreRefused(t *testing.T) {
	key43, salt := strings.Repeat("a", 43), "c2FsdHNhbHQ"
	for _, hash := range []string{
		"", "secret", "$", "$$$", "$1$$", "$9$x$y",
		"rl.3StKT.4T8M", // DES
		"$apr1$salt$" + key43[:21],
		"$7$E6..../....salt$" + key43[:42],
		"$7$H6..../....salt$" + key43, // 2^19 times r of 8
		"$7$GA..../....salt$" + key43, // 2^18 times r of 12
		"$7$/...../....salt$" + key43, // r of 0
		"$7$/zzzzz/....salt$" + key43,
		"$7$//....3....salt$" + key43, // p of 5
		"$scrypt$ln=19,r=8,p=1$" + salt + "$" + key43,
		"$scrypt$ln=17,r=16,p=1$" + salt + "$" + key43,
		"$scrypt$ln=4,r=8,p=5$" + salt + "$" + key43,
		"$scrypt$ln=0,r=8,p=1$" + salt + "$" + key43,
		"$pbkdf2-sha256$1000001$" + salt + "$" + key43,
		"$pbkdf2-sha256$0$" + salt + "$" + key43,
		"{SSHA}Fo2H6J0JtbEvikVqVtvdYd+0qG4=", // no salt
		"{SHA}LoZHdeEaBcTk/RMdvYk+hhh09k5zYWx0c2FsdA==",
		"{SHA}Fo2H6J0JtbEvikVqVtvdYd+0qG5=", // not what an encoder writes
		"{SHA224}Fo2H6J0JtbEvikVqVtvdYd+0qG4=",
		"{CLEARTEXT}secretsecretsecret",
		"{CRYPT}", "{CRYPT}{CRYPT}" + cheap,
		key43[:33], "*" + key43[:39],
		"$1$salt$" + key43[:21],
		"$argon2id$v=19$m=262145,t=1,p=1$" + salt + "$" + key43, // 256 MiB and more
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key43,
		"$argon2id$v=19$m=131072,t=129,p=1$" + salt + "$" + key43, // 128 MiB and 129 passes
		"$argon2id$v=19$m=64,t=1025,p=1$" + salt + "$" + key43,
		"$argon2id$v=19$m=64,t=1,p=4294967295$" + salt + "$" + key43,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key43,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key43,
		"$argon2id$v=19$m=64,t=99999999999999999999,p=1$" + salt + "$" + key43,
		"$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key43,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key43 + "\n",
		"$5$rounds=9999999$salt$" + key43,
		"$2b$31$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMoS",
		"$2b$04$abcdefghijklmnopqrstuuJ9hcn4ICUfT1kUPCGv1dI2d1ENrPMo",
		"$y$jzT$abcdefghijklmnop$kUDrhlydGBVBjIHkcGF4HrwsxQpHSVwDScOTBtbQKB1",
	} {
		_, err := newDecoder(Hashes{}).digest(hash)
		if !errors.Is(err, ErrHash) {
			t.Errorf("%q: %v", hash, err)
		} else if hash != "" && len(hash) > 5 && strings.Contains(err.Error(), hash) {
			t.Errorf("the error quotes %q", hash)
		}
	}
}

// FuzzHash: no string can crash or stall a login. Costs are bounded before hashing.
func FuzzHash(f *testing.F) {
	hashes, des, _ := recorded(f)
	for _, hash := range slices.Concat(vectors(), hashes, des) {
		f.Add(hash)
	}
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("a", 43))
	decoder := newDecoder(Hashes{DES: true})
	f.Fuzz(func(t *testing.T, hash string) {
		d, err := decoder.digest(hash)
		if (err == nil) == (d == nil) || err != nil && !errors.Is(err, ErrHash) {
			t.Fatalf("%v, %v", d, err)
		}
		if d != nil && len(hash) < 200 && !strings.ContainsAny(hash, "=j") {
			d.Match("x")
		}
	})
}

// BenchmarkLogin: a budget of 60 ms of one core for a hash made by Hash, of which 19 MiB
// of memory are most.
func BenchmarkLogin(b *testing.B) {
	hash, err := Hash("secret")
	if err != nil {
		b.Fatal(err)
	}
	u, err := New([]User{user("a", hash)}, nil, Hashes{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.Login(b.Context(), Attempt{Name: "a", Password: "secret"}); err != nil {
			b.Fatal(err)
		}
	}
}
