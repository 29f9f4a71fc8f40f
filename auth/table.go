package auth

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
)

// table is the accounts at one time. It does not change.
type table struct {
	accounts  []credential
	byName    map[string]int // index in accounts, by canonical name
	anonymous *Account       // nil if not enabled
	decoder   decoder
	decoyKey  []byte
	ring      []decoyPoint             // in order
	byPlain   func() map[string]string // names by their plain forms; made when it is asked for
}

// credential is a user with what the password is checked against.
type credential struct {
	user   *User
	digest digest
}

// digest checks passwords. One attempt costs the same whatever the password is.
type digest interface {
	Match(password string) bool
}

func newTable(users []User, anonymous *Account, decoyKey []byte, decoder decoder) (*table, error) {
	t := &table{byName: make(map[string]int, len(users)), anonymous: anonymous, decoder: decoder, decoyKey: decoyKey}
	for i, user := range users {
		name, ok := Canonical(user.Name)
		if !ok || isAnonymous(name) {
			return nil, &AccountError{Index: i, Err: ErrName}
		}
		if _, taken := t.byName[name]; taken {
			return nil, &AccountError{Index: i, Err: ErrTaken}
		}
		d, err := t.decoder.digest(user.Hash)
		if err != nil {
			return nil, &AccountError{Index: i, Err: err}
		}
		t.byName[name] = i
		t.accounts = append(t.accounts, credential{user: &user, digest: d})
	}
	if len(t.accounts) == 0 {
		// Only anonymous: other names must cost what they would cost elsewhere.
		d, err := t.decoder.digest(nobody)
		if err != nil {
			return nil, err
		}
		t.accounts = append(t.accounts, credential{user: new(User), digest: d})
	}
	t.drawRing()
	t.byPlain = sync.OnceValue(t.plainNames)
	return t, nil
}

func (t *table) plainNames() map[string]string {
	names := make(map[string]string, len(t.byName))
	for name := range t.byName {
		names[Plain(name)] = name
	}
	return names
}

// find returns the account of a canonical name, or the one whose hash is computed in its
// place.
func (t *table) find(name string) (c credential, known bool) {
	if i, ok := t.byName[name]; ok {
		return t.accounts[i], true
	}
	return t.accounts[t.decoy(name)], false
}

// pointsPerAccount evens out how often each account is a decoy. With eight, a table of a
// thousand accounts takes 128 KiB and some milliseconds more to make.
const pointsPerAccount = 8

// decoyPoint is a place on the ring at which an account's decoys end.
type decoyPoint struct {
	at      uint64
	account int
}

func (t *table) drawRing() {
	t.ring = make([]decoyPoint, 0, len(t.accounts)*pointsPerAccount)
	for i, c := range t.accounts {
		for n := range byte(pointsPerAccount) {
			t.ring = append(t.ring, decoyPoint{t.place(pointOfAccount+n, c.user.Name), i})
		}
	}
	slices.SortFunc(t.ring, func(a, b decoyPoint) int { return cmp.Compare(a.at, b.at) })
}

// decoy chooses the account whose hash is computed for a name that no account has. The
// choice is the same every time, so that asking twice tells nothing, and it spreads over
// all accounts, so that where they have hashes of several kinds unknown names show the
// same mix.
//
// It is made on a ring, on which accounts that come and go move few names: if all names
// without an account got other decoys at each change, they would be known by it.
func (t *table) decoy(name string) int {
	i, _ := slices.BinarySearchFunc(t.ring, t.place(pointOfName, name), func(p decoyPoint, at uint64) int {
		return cmp.Compare(p.at, at)
	})
	return t.ring[i%len(t.ring)].account
}

// What is placed on the ring, so that an account's points are not those of its name.
const (
	pointOfName byte = iota
	pointOfAccount
)

// place is where something lies on the ring. Nobody can tell who does not have the key.
func (t *table) place(what byte, name string) uint64 {
	mac := hmac.New(sha256.New, t.decoyKey)
	mac.Write([]byte{what}) // never fails (hash.Hash)
	mac.Write([]byte(name))
	return binary.BigEndian.Uint64(mac.Sum(nil))
}

// newDecoyKey is as secret as the hashes are, and stays the same over restarts unless
// accounts have changed. Where there are none yet it is drawn.
func newDecoyKey(users []User) []byte {
	if len(users) == 0 {
		return []byte(rand.Text())
	}
	sum := sha256.New()
	for _, user := range users {
		sum.Write([]byte(user.Hash)) // never fails (hash.Hash)
	}
	return sum.Sum(nil)
}
