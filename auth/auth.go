// Package auth knows the accounts: their names, their password hashes, and what they are
// granted. It checks passwords in bounded time and memory, and lets nobody find out which
// accounts exist. It knows no protocol, no store and no configuration file.
//
// Its central type is [Users].
package auth

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"
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
	Path    string   // absolute
	Store   string   // name of the store
	Prefix  string   // "" or ending in "/"
	Rights  Right    // a set
	Hide    []string // patterns of names that are not there for the account
	Deny    []string // and of names that it gives to nothing
	Uploads Uploads

	Quota     Quota
	Retention Retention
	Behind    Behind
}

// Behind is another store that has the files of a grant's keys until they are in its own. The
// zero value is none.
type Behind struct {
	Store      string    // name of it; "" for none
	Prefix     string    // that stands there in the place of the grant's
	Until      time.Time // from then on there is none; zero is never
	CopyOnRead bool      // what is read there is stored
	Mirror     bool      // what changes here is changed there
}

// Quota bounds what all keys that begin with a grant's prefix may be together. The zero
// value is no bound.
type Quota struct {
	Bytes, Files int64 // 0 is any number
}

// Retention says when the files below a grant's prefix end, and how. The zero value keeps
// all.
type Retention struct {
	Days   int    // of age by the store's clock; 0 is never
	To     string // the prefix that they are moved to; "" deletes them
	DryRun bool   // the log says what would be done, and nothing is
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

// Device is how an account's clients talk. Its words are those of the configuration, where
// each is explained; this package passes them on.
type Device struct {
	TLS         string // "required" or "allowed"
	MinTLS      string // "1.0" to "1.3"
	Ciphers     string // "any" or "modern"
	Active      string // "true" or "false"
	Listing     string // "unix" or "dos"
	UnknownSite string // "refuse" or "accept"
}

// Account is a user who may log in, or has.
type Account struct {
	Name    string
	Grants  []Grant
	Charset string // of the client's file names; "" is UTF-8
	Limits  Limits
	Device  Device

	// Identities are by the name of the store; to others the account is the gateway.
	Identities map[string]Identity

	found *User // that it is of, if a provider has told of it
}

// Told tells whether a provider has told of the account at its login: [Users.Replace] says
// nothing of it.
func (a *Account) Told() bool { return a.found != nil }

// Limits bound what an account uses, all its sessions together. A field that is 0 sets no
// bound, and each rate is in a second.
type Limits struct {
	Sessions     int   // at once
	Transfers    int   // uploads and downloads at once
	UploadRate   int64 // octets
	DownloadRate int64 // octets
	FileSize     int64 // octets of a file that is uploaded
	CommandRate  int
}

// User is an account with its password and with what it takes to be let in beside it.
type User struct {
	Account
	Rank     int            // place among the providers; see Link
	Hash     string         // as [Hash] makes them, or as other servers do; see there
	Disabled bool           // nobody is let in
	Expires  time.Time      // from then on nobody is; zero is never
	Networks []netip.Prefix // of clients that are let in; none is all
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
	// OnOldHash, if set before the first login, is told of logins with hashes that were
	// better made anew. The login waits for it. Accounts of providers are not told.
	OnOldHash func(Proof)

	table    atomic.Pointer[table]
	links    []Link // in order
	decoyKey []byte
	gate     *gate
	hashes   Hashes
}

// New makes the accounts: the users, and those of providers, in the order of their ranks.
// anonymous is nil where anonymous logins are refused. A name that is taken or cannot be
// one, or a hash that cannot be checked, is an [*AccountError].
func New(users []User, anonymous *Account, also Hashes, links ...Link) (*Users, error) {
	byRank := func(a, b Link) int { return cmp.Compare(a.Rank, b.Rank) }
	u := &Users{decoyKey: newDecoyKey(users), gate: newGate(), hashes: also, links: slices.SortedStableFunc(slices.Values(links), byRank)}
	if err := u.Replace(users, anonymous); err != nil {
		return nil, err
	}
	return u, nil
}

// Replace puts other users in place of those that there are, for logins that come from
// then on. If it fails, as New does, it changes nothing.
func (u *Users) Replace(users []User, anonymous *Account) error {
	t, err := newTable(users, anonymous, u.decoyKey, newDecoder(u.hashes))
	if err != nil {
		return err
	}
	u.table.Store(t)
	return nil
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

// Attempt is what a client says of itself to log in, and what is known of it.
type Attempt struct {
	Name, Password string
	Remote         netip.Addr
	TLS            bool   // the control connection is protected
	Host           string // that the client wants to log in at; "" if it has not said
	// Fit tells why an account is not for a client that has come in this way, which is a
	// reason as ErrNetwork is; nil lets all in.
	Fit func(*Account) error
	// Certificates are what the client has proven to have the key of, and what it has sent
	// along; nil for none. Providers verify them by themselves.
	Certificates []*x509.Certificate
}

// Login returns the account of a name and password, which belongs to the caller's session
// and must not be changed. ErrLogin if they do not fit; ErrBusy if it cannot tell now; the
// context's error if it ends first, and a provider's if it cannot tell whether it has the
// account.
//
// A name that no account has costs the work of one that has: see decoy. So does an account
// that lets nobody in, or not this client: its error matches ErrLogin, too, and one of
// ErrDisabled, ErrExpired and ErrNetwork, or that of Attempt.Fit, if the password was right.
func (u *Users) Login(ctx context.Context, a Attempt) (*Account, error) {
	name, ok := Canonical(a.Name)
	if !ok {
		return nil, ErrLogin
	}
	a.Name = name
	t := u.table.Load()
	if isAnonymous(name) && t.anonymous != nil {
		return t.anonymous, nil
	}
	if a.Password == "" || len(a.Password) > maxPassword || strings.ContainsRune(a.Password, 0) {
		return nil, ErrLogin
	}
	c, err := u.identify(ctx, t, a)
	if err != nil {
		return nil, err
	}
	return u.judge(ctx, c, a)
}

// judge lets in who has the password of a candidate. A refusal costs one hash, whatever its
// reason is.
func (u *Users) judge(ctx context.Context, c candidate, a Attempt) (*Account, error) {
	unfit := c.unfit(a)
	if c.right && unfit == nil {
		return &c.user.Account, nil
	}
	matches, err := u.matches(ctx, c.digest, a.Password)
	switch {
	case err != nil:
		return nil, err
	case !c.known && c.err != nil:
		return nil, c.err
	case !c.right && (!c.known || !matches):
		return nil, ErrLogin
	case unfit != nil:
		return nil, unfit
	}
	u.prove(c.user, a.Password)
	return &c.user.Account, nil
}

// Unfit tells why the client is not let in to a user's account, whatever the password is:
// an ErrLogin with the reason, as Login has it; nil if it is.
func (a Attempt) Unfit(user *User) error {
	if err := user.admit(a.Remote); err != nil {
		return err
	}
	if a.Fit == nil {
		return nil
	}
	if err := a.Fit(&user.Account); err != nil {
		return refused(err)
	}
	return nil
}

// matches checks a password when its turn comes.
func (u *Users) matches(ctx context.Context, d digest, password string) (bool, error) {
	if err := u.gate.enter(ctx); err != nil {
		return false, err
	}
	defer u.gate.leave()
	return d.Match(password), nil
}

// Vouch is Login without a password, for a client that has a certificate. It asks only who
// may need none, and only as long as nobody before them could have the name: ErrNeeded if
// a password is to be asked for.
func (u *Users) Vouch(ctx context.Context, a Attempt) (*Account, error) {
	name, ok := Canonical(a.Name)
	if !ok || isAnonymous(name) {
		return nil, ErrLogin
	}
	a.Name, a.Password = name, ""
	c, err := u.vouched(ctx, u.table.Load(), a)
	if err == nil {
		err = c.unfit(a)
	}
	if err != nil {
		return nil, err
	}
	return &c.user.Account, nil
}

// Admits tells why an account that has logged in from an address would not be let in now:
// ErrUnknown if it was removed, or a reason such as ErrDisabled; nil if it would. An
// account of a provider, which is not asked, is as it was found. It is quick.
func (u *Users) Admits(account *Account, remote netip.Addr) error {
	t := u.table.Load()
	switch i, known := t.byName[account.Name]; {
	case account.found != nil:
		return account.found.admit(remote)
	case account.Name == anonymousName && t.anonymous != nil:
		return nil
	case !known:
		return ErrUnknown
	default:
		return t.accounts[i].user.admit(remote)
	}
}

// Why an account lets a client in no more, though the password was right. It is for the
// log: a client that could tell it from a wrong password would know that it has guessed.
var (
	ErrDisabled = errors.New("the account is disabled")
	ErrExpired  = errors.New("the account has expired")
	ErrNetwork  = errors.New("the client's address is in none of the account's networks")
	// ErrCertificate: it is missing, not valid, or for another account.
	ErrCertificate = errors.New("the client's certificate does not fit")
)

// admit judges all but the password. Its error matches ErrLogin.
func (u *User) admit(remote netip.Addr) error {
	within := func(network netip.Prefix) bool { return network.Contains(remote.Unmap().WithZone("")) }
	switch {
	case u.Disabled:
		return refused(ErrDisabled)
	case !u.Expires.IsZero() && !time.Now().Before(u.Expires):
		return refused(ErrExpired)
	case len(u.Networks) > 0 && !slices.ContainsFunc(u.Networks, within):
		return refused(ErrNetwork)
	}
	return nil
}
