package configs

import "slices"

// PasswordHashes says which kinds of password hash accounts may have beside those that
// are always taken.
type PasswordHashes struct {
	Allow []WeakHash `yaml:"allow"`
}

// WeakHash is a kind of password hash that is taken only where it is named.
type WeakHash string

// DESCrypt is crypt(3)'s oldest kind. Only the first eight characters of a password count.
const DESCrypt WeakHash = "des-crypt"

func (WeakHash) choices() []string { return []string{string(DESCrypt)} }

// Allows tells whether a kind is named.
func (p PasswordHashes) Allows(kind WeakHash) bool { return slices.Contains(p.Allow, kind) }
