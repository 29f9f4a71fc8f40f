package auth

import (
	"crypto/md5"  //nolint:gosec // what old servers have
	"crypto/sha1" //nolint:gosec // what old servers have
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/go-crypt/x/scrypt"
	"github.com/go-crypt/x/yescrypt"
	"github.com/tg123/go-htpasswd"
)

// oldForms are kinds of hash that other servers make and go-crypt does not know.
func oldForms() []form {
	return []form{
		{pattern(`\$apr1\$` + crypt64 + `{1,8}\$` + crypt64 + `{22}`), nil, decodeApr1},
		// log2 of N, here at most 18, then r and p, which decode bounds.
		{pattern(`\$7\$[/0-9A-G]` + crypt64 + `{10}` + crypt64 + `{0,86}\$` + crypt64 + `{43}`), nil, decodeScrypt7},
		{pattern(`\{(?:[A-Za-z]+[0-9]*)\}[+/0-9A-Za-z]{16,400}={0,2}`), nil, decodeScheme},
		{pattern(`[0-9A-Fa-f]{32}(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{96})?`), nil, decodeHex},
		{pattern(`\*[0-9A-Fa-f]{40}`), nil, decodeMySQL},
	}
}

// unwrap takes off the schemes that LDAP servers put before the hashes of others.
func unwrap(hash string) string {
	for _, scheme := range []string{"{CRYPT}", "{ARGON2}", "{BCRYPT}"} {
		if len(hash) > len(scheme) && strings.EqualFold(hash[:len(scheme)], scheme) {
			return hash[len(scheme):]
		}
	}
	return hash
}

// apr1 is the Apache HTTP server's variant of MD5-crypt.
type apr1 struct{ htpasswd.EncodedPasswd }

func (d apr1) Match(password string) bool { return d.MatchesPassword(password) }

func decodeApr1(text string) (digest, error) {
	d, err := htpasswd.AcceptMd5(text)
	return apr1{d}, err
}

// scrypt7 is scrypt as crypt(3) and libsodium write it: $7$, N, r, p, the salt as it
// stands, and the key (crypt(5)).
type scrypt7 struct {
	n, r, p   int
	salt, key []byte
}

func (d scrypt7) Match(password string) bool {
	key, err := scrypt.Key([]byte(password), d.salt, d.n, d.r, d.p, len(d.key))
	return err == nil && subtle.ConstantTimeCompare(key, d.key) == 1
}

// Bounds of scrypt's N times r, which is 256 MiB, and of its parallelism.
const (
	maxScryptNR = 1 << 21
	maxScryptP  = 4
)

func decodeScrypt7(text string) (digest, error) {
	const nAt, rAt, pAt, saltAt = 3, 4, 9, 14
	end := strings.LastIndexByte(text, '$')
	d := scrypt7{
		n:    1 << crypt64Number(text[nAt:rAt]),
		r:    crypt64Number(text[rAt:pAt]),
		p:    crypt64Number(text[pAt:saltAt]),
		salt: []byte(text[saltAt:end]),
		key:  yescrypt.Decode64([]byte(text[end+1:])),
	}
	if d.r < 1 || d.r > maxScryptNR/d.n || d.p < 1 || d.p > maxScryptP || len(d.key) == 0 {
		return nil, ErrHash
	}
	return d, nil
}

// crypt64Digits are the digits of crypt(3)'s base 64, in order.
const crypt64Digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crypt64Number is a number whose lowest digit comes first.
func crypt64Number(digits string) int {
	n := 0
	for i := len(digits) - 1; i >= 0; i-- {
		n = n<<6 | strings.IndexByte(crypt64Digits, digits[i])
	}
	return n
}

// sum is one round of a checksum of the password and a salt behind it, if there is any.
type sum struct {
	make      func() hash.Hash
	want      []byte
	salt      []byte
	ofItsHash bool // the checksum of the password's checksum
}

func (d sum) Match(password string) bool {
	h := d.make()
	h.Write([]byte(password)) // never fails (hash.Hash)
	h.Write(d.salt)
	got := h.Sum(nil)
	if d.ofItsHash {
		h.Reset()
		h.Write(got)
		got = h.Sum(nil)
	}
	return subtle.ConstantTimeCompare(got, d.want) == 1
}

// checksum is the checksum of a scheme's name, nil if there is none, and whether the scheme
// has a salt (RFC 2307 §5.3, and OpenLDAP's and ProFTPD's additions).
func checksum(scheme string) (newHash func() hash.Hash, salted bool) {
	scheme = strings.ToUpper(scheme)
	switch scheme {
	case "MD5", "SMD5":
		newHash = md5.New
	case "SHA", "SHA1", "SSHA":
		newHash = sha1.New
	case "SHA256", "SSHA256":
		newHash = sha256.New
	case "SHA512", "SSHA512":
		newHash = sha512.New
	}
	return newHash, strings.HasPrefix(scheme, "SS") || scheme == "SMD5"
}

// decodeScheme decodes LDAP's form: a scheme in braces, and the checksum with the salt
// behind it in base 64.
func decodeScheme(text string) (digest, error) {
	scheme, encoded, _ := strings.Cut(text[1:], "}")
	newHash, salted := checksum(scheme)
	octets, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if newHash == nil || err != nil {
		return nil, ErrHash
	}
	size := newHash().Size()
	if len(octets) < size || (len(octets) > size) != salted {
		return nil, ErrHash
	}
	return sum{make: newHash, want: octets[:size], salt: octets[size:]}, nil
}

// decodeHex decodes what tables of other servers hold: a checksum without salt.
func decodeHex(text string) (digest, error) {
	octets, err := hex.DecodeString(text)
	if err != nil {
		return nil, ErrHash
	}
	for _, newHash := range []func() hash.Hash{md5.New, sha1.New, sha256.New, sha512.New} {
		if newHash().Size() == len(octets) {
			return sum{make: newHash, want: octets}, nil
		}
	}
	return nil, ErrHash
}

// decodeMySQL decodes what MySQL's PASSWORD() has made since 4.1.
func decodeMySQL(text string) (digest, error) {
	octets, err := hex.DecodeString(text[1:])
	return sum{make: sha1.New, want: octets, ofItsHash: true}, err
}
