package auth

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/md5crypt"
	"github.com/go-crypt/crypt/algorithm/pbkdf2"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// Parameters of new hashes: argon2id as OWASP's Password Storage Cheat Sheet recommends.
// RFC 9106 §4 prefers 64 MiB; devices log in for every file, so the gateway takes the
// smaller memory with two passes, which keeps the peak at 19 MiB for each core.
const (
	hashMemory = 19 * 1024 // KiB
	hashPasses = 2
	hashLanes  = 1
)

// nobody is a hash that no known password has, made with the parameters of [Hash].
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$Y2F1c2V3YXktbm9ib2R5$2h1t3Zbq0M5mYp0b6vV4r2o3xkq1a8c9d7e5f4g6h8i"

// Hash returns an argon2id hash of the password, to be put into the configuration. An
// error matches [ErrPassword] if the password could never be used to log in.
func Hash(password string) (string, error) {
	if password == "" || len(password) > maxPassword || strings.ContainsFunc(password, isLineBreak) {
		return "", ErrPassword
	}
	h, err := argon2.New(argon2.WithVariantID(), argon2.WithM(hashMemory), argon2.WithT(hashPasses), argon2.WithP(hashLanes))
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	d, err := h.Hash(password)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return d.Encode(), nil
}

// ErrPassword is a password that PASS cannot carry.
var ErrPassword = fmt.Errorf("a password has 1 to %d bytes, no NUL and no line breaks", maxPassword)

func isLineBreak(r rune) bool { return r == 0 || r == '\r' || r == '\n' }

// Hashes says which kinds of hash are taken beside those that always are.
type Hashes struct {
	// DES takes crypt(3)'s oldest kind, of whose passwords eight characters count: all that
	// begin with them log in.
	DES bool
}

// form is what the hashes of one kind look like. The libraries behind it believe every
// parameter, so bounds are set here: a hash with a typing error must neither crash the
// gateway nor take all its memory.
type form struct {
	pattern *regexp.Regexp
	limits  []int // of the pattern's numbers; a number that is left out is within
	decode  func(hash string) (digest, error)
}

// decoder makes digests of hashes.
type decoder []form

// crypt64 is a digit of crypt(3)'s base 64.
const crypt64 = `[./0-9A-Za-z]`

func newDecoder(also Hashes) decoder {
	argon := func(name string) *regexp.Regexp {
		return pattern(`\$` + name + `\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[+/0-9A-Za-z]{8,128}\$[+/0-9A-Za-z]{16,128}`)
	}
	sha := func(id, length string) *regexp.Regexp {
		return pattern(`\$` + id + `\$(?:rounds=(\d{1,9})\$)?` + crypt64 + `{1,16}\$` + crypt64 + `{` + length + `}`)
	}
	scryptOf := func(r string) *regexp.Regexp {
		return pattern(`\$scrypt\$ln=(\d{1,2}),r=(` + r + `),p=(\d{1,2})\$[+/0-9A-Za-z]{8,128}\$[+/0-9A-Za-z]{16,128}`)
	}
	argonLimits := []int{256 * 1024, 1024, 16} // KiB, passes, lanes
	shaLimits := []int{1_000_000}
	d := decoder{
		{argon("argon2id"), argonLimits, argonWithin(argon2.VariantID)},
		{argon("argon2i"), argonLimits, argonWithin(argon2.VariantI)},
		{pattern(`\$2[aby]\$(\d\d)\$` + crypt64 + `{53}`), []int{16}, library(bcrypt.DecodeVariant(bcrypt.VariantStandard))},
		{sha("5", "43"), shaLimits, library(shacrypt.DecodeVariant(shacrypt.VariantSHA256))},
		{sha("6", "86"), shaLimits, library(shacrypt.DecodeVariant(shacrypt.VariantSHA512))},
		{pattern(`\$1\$` + crypt64 + `{1,8}\$` + crypt64 + `{22}`), nil, library(md5crypt.DecodeVariant(md5crypt.VariantStandard))},
		// After the flavour N and r, here at most 2^16 and 32: 256 MiB.
		{pattern(`\$y\$j[./0-9A-D][./0-9A-T]\$` + crypt64 + `{1,86}\$` + crypt64 + `{43}`), nil, library(scrypt.DecodeVariant(scrypt.VariantYescrypt))},
		// log2 of N, r and p: 256 MiB.
		{scryptOf(`[1-8]`), []int{18, 8, 4}, library(scrypt.DecodeVariant(scrypt.VariantScrypt))},
		{scryptOf(`\d\d?`), []int{16, 32, 4}, library(scrypt.DecodeVariant(scrypt.VariantScrypt))},
		{pattern(`\$pbkdf2-sha(?:256|512)\$(\d{1,9})\$[./0-9A-Za-z]{8,128}\$[./0-9A-Za-z]{16,128}`), []int{1_000_000}, library(pbkdf2.Decode)},
	}
	d = append(d, oldForms()...)
	if also.DES {
		d = append(d, form{pattern(crypt64 + `{13}`), nil, decodeDES})
	}
	return d
}

// argonWork bounds the passes over memory, in KiB. Pure-FTPd makes many over little.
const argonWork = 16 << 20

// argonWithin decodes hashes that fill no more memory, all in all, than argonWork.
func argonWithin(variant argon2.Variant) func(hash string) (digest, error) {
	decode := argon2.DecodeVariant(variant)
	return func(hash string) (digest, error) {
		var memory, passes int
		if _, err := fmt.Sscanf(hash[strings.Index(hash, "$m="):], "$m=%d,t=%d", &memory, &passes); err != nil || memory*passes > argonWork {
			return nil, ErrHash
		}
		return decode(hash)
	}
}

func pattern(s string) *regexp.Regexp { return regexp.MustCompile(`^` + s + `$`) }

// library is a decoder of go-crypt.
func library(decode algorithm.DecodeFunc) func(hash string) (digest, error) {
	return func(hash string) (digest, error) { return decode(hash) }
}

// digest returns what checks passwords against the hash, or ErrHash.
func (d decoder) digest(hash string) (digest, error) {
	hash = unwrap(hash)
	for _, f := range d {
		numbers := f.pattern.FindStringSubmatch(hash)
		if numbers == nil {
			continue
		}
		for i, limit := range f.limits {
			if n, err := strconv.Atoi(numbers[i+1]); numbers[i+1] != "" && (err != nil || n < 1 || n > limit) {
				return nil, ErrHash
			}
		}
		decoded, err := f.decode(hash)
		if err != nil {
			return nil, ErrHash // the library's text quotes the hash
		}
		return decoded, nil
	}
	return nil, ErrHash
}

// Checker returns what tells whether a hash is of a kind that is taken: nil, or ErrHash.
func (h Hashes) Checker() func(hash string) error {
	d := newDecoder(h)
	return func(hash string) error {
		_, err := d.digest(hash)
		return err
	}
}
