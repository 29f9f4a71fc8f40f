package auth

import "strings"

// Proof is a password that has just been proven to be that of a user whose hash is not of
// the kind that [Hash] makes.
type Proof struct {
	Name     string // of the user
	Hash     string // that the password was checked against
	Password string
}

// desLength is that of des-crypt's hashes, and of no other kind's.
const desLength = 13

// prove tells of a user who has given the right password. With a des-crypt hash nobody can
// tell: eight characters were looked at, and a new hash would keep what came behind them.
func (u *Users) prove(user *User, password string) {
	if len(unwrap(user.Hash)) == desLength {
		return
	}
	if u.OnOldHash != nil && user.found == nil && !strings.HasPrefix(user.Hash, "$argon2id$") {
		u.OnOldHash(Proof{Name: user.Name, Hash: user.Hash, Password: password})
	}
}
