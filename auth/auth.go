// Package auth knows the accounts: their names, their password hashes, and what they are
// granted. It checks passwords in bounded time and memory, and lets nobody find out which
// accounts exist. It knows no protocol, no store and no configuration file.
//
// Its central type is [Users].
package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ErrLogin is a login that is refused. It is the same for an unknown user, a wrong
// password, and a name or password that cannot be one.
var ErrLogin = errors.New("login incorrect")

// ErrBusy is a login that was not judged, because too many are being judged.
var ErrBusy = errors.New("too many logins at once")

// Right is something that an account may do below a grant's path.
type Right uint8

// The rights. Write makes new files, Overwrite replaces them.
const (
	List Right = 1 << iota
	Read
	Write
	Overwrite
	Delete
	Rename
	Mkdir
)

// Grant lets an account use the keys of a store that begin with Prefix, as directory Path.
type Grant struct {
	Path    string // absolute
	Store   string // name of the store
	Prefix  string // "" or ending in "/"
	Rights  Right  // a set
	Uploads Uploads
}

// Uploads is how uploads below a grant's path are judged and stored. Its words are those
// of the configuration, where each is explained; this package passes them on.
type Uploads struct {
	Incomplete  string // "park", "discard" or "publish"
	CloseNotify string // "auto", "true" or "false"
	ALLO        string // "ignore" or "enforce"
	Overwrite   string // "replace", "refuse" or "keep_both"
	Concurrent  string // "last_wins" or "refuse"
	RenameMax   int    // objects in a directory that may be renamed
}

// Account is a user who may log in, or has.
type Account struct {
	Name    string
	Grants  []Grant
	Charset string // of the client's file names; "" is UTF-8
}

// User is an account with its password.
type User struct {
	Account
	Hash string // argon2id, argon2i, bcrypt, or crypt(3)'s SHA-512, SHA-256, MD5 or yescrypt
}

// anonymousNames log in to the anonymous account, in any case of letters.
const (
	anonymousName  = "anonymous"
	anonymousAlias = "ftp"
)

// Limits of what a client may send, in octets. The bound on passwords keeps the cost of
// hashing independent of them.
const (
	maxName     = 255
	maxPassword = 512
)

// Users are all accounts. It may be used from any goroutine.
type Users struct {
	accounts  []credential
	byName    map[string]int // index in accounts
	anonymous *Account       // nil if not enabled
	decoyKey  []byte
	gate      *gate
}

// credential is an account with what its password is checked against.
type credential struct {
	account *Account
	digest  digest
}

// digest checks passwords. One attempt costs the same whatever the password is.
type digest interface {
	Match(password string) bool
}

// New makes the accounts. anonymous is nil where anonymous logins are refused. A name that
// is taken or cannot be one, or a hash that cannot be checked, is an [*AccountError].
func New(users []User, anonymous *Account) (*Users, error) {
	u := &Users{
		byName:    make(map[string]int, len(users)),
		anonymous: anonymous,
		decoyKey:  decoyKey(users),
		gate:      newGate(),
	}
	decoder := newDecoder()
	for i, user := range users {
		name, ok := canonical(user.Name)
		if !ok || isAnonymous(name) {
			return nil, &AccountError{Index: i, Err: ErrName}
		}
		if _, taken := u.byName[name]; taken {
			return nil, &AccountError{Index: i, Err: ErrTaken}
		}
		d, err := decoder.digest(user.Hash)
		if err != nil {
			return nil, &AccountError{Index: i, Err: err}
		}
		u.byName[name] = len(u.accounts)
		u.accounts = append(u.accounts, credential{account: &user.Account, digest: d})
	}
	if len(u.accounts) == 0 {
		// Only anonymous: other names must cost what they would cost elsewhere.
		d, err := decoder.digest(nobody)
		if err != nil {
			return nil, err
		}
		u.accounts = append(u.accounts, credential{digest: d})
	}
	return u, nil
}

// ErrName: the name cannot be one. ErrTaken: another account has it. ErrHash: the hash is
// of no kind that can be checked, or damaged, or would cost too much.
var (
	ErrName  = errors.New("not a name for an account")
	ErrTaken = errors.New("another account has this name")
	ErrHash  = errors.New("not a password hash that can be checked")
)

// AccountError says which of the users given to [New] is at fault.
type AccountError struct {
	Index int
	Err   error // ErrName, ErrTaken or ErrHash
}

func (e *AccountError) Error() string { return fmt.Sprintf("account %d: %v", e.Index, e.Err) }

// Unwrap returns the kind.
func (e *AccountError) Unwrap() error { return e.Err }

// Login returns the account of a name and password, which belongs to the caller's session
// and must not be changed. ErrLogin if they do not fit; ErrBusy if it cannot tell now; the
// context's error if it ends first.
//
// A name that no account has costs the work of one that has: see decoy.
func (u *Users) Login(ctx context.Context, name, password string) (*Account, error) {
	name, ok := canonical(name)
	if !ok {
		return nil, ErrLogin
	}
	if isAnonymous(name) && u.anonymous != nil {
		return u.anonymous, nil
	}
	if password == "" || len(password) > maxPassword || strings.ContainsRune(password, 0) {
		return nil, ErrLogin
	}
	i, known := u.byName[name]
	if !known {
		i = u.decoy(name)
	}
	if err := u.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer u.gate.leave()
	matches := u.accounts[i].digest.Match(password)
	if !known || !matches {
		return nil, ErrLogin
	}
	return u.accounts[i].account, nil
}

// decoy chooses the account whose hash is computed for a name that no account has. The
// choice is the same every time, so that asking twice tells nothing, and it spreads over
// all accounts, so that where they have hashes of several kinds unknown names show the
// same mix.
func (u *Users) decoy(name string) int {
	mac := hmac.New(sha256.New, u.decoyKey)
	mac.Write([]byte(name)) // never fails (hash.Hash)
	return int(binary.BigEndian.Uint64(mac.Sum(nil)) % uint64(len(u.accounts)))
}

// decoyKey is as secret as the hashes are and stays the same over restarts.
func decoyKey(users []User) []byte {
	sum := sha256.New()
	for _, user := range users {
		sum.Write([]byte(user.Hash)) // never fails (hash.Hash)
	}
	return sum.Sum(nil)
}

// canonical is the form in which names are compared: Unicode's composed form, letters as
// they are. Names with control characters, which log and shell may take for something
// else, are not names.
func canonical(name string) (string, bool) {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", false
	}
	return norm.NFC.String(name), true
}

func isAnonymous(name string) bool {
	return strings.EqualFold(name, anonymousName) || strings.EqualFold(name, anonymousAlias)
}
