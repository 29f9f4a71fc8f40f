package auth

import "strings"

// Proof is a password that has just been proven to be that of a user whose hash is not of
// the kind that [Hash] makes.
type Proof struct {
	Name     string // of the user
	Hash     string // that the password was checked against
	Password string
}

// prove tells of a user who has given the right password.
func (u *Users) prove(user *User, password string) {
	if u.OnOldHash != nil && user.found == nil && !strings.HasPrefix(user.Hash, "$argon2id$") {
		u.OnOldHash(Proof{Name: user.Name, Hash: user.Hash, Password: password})
	}
}
