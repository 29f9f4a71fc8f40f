package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"causeway/auth"
	"causeway/auth/usersfile"
	"causeway/configs"
)

// rehashPause passes before each password that is hashed anew: the login that has told it
// is answered by then, and a thousand devices that come at once cost no more than one hash
// a second beside their own.
const rehashPause = time.Second

// rehashQueue is how many passwords may wait for that. What finds no place waits for the
// account's next login.
const rehashQueue = 64

// rehasher hashes passwords anew that are in users files in an old way, one at a time.
type rehasher struct {
	accounts  *accounts
	proofs    chan auth.Proof
	complaint string // that was logged last
}

// newRehasher is told of logins, if any file asks for it.
func newRehasher(a *accounts) *rehasher {
	r := &rehasher{accounts: a, proofs: make(chan auth.Proof, rehashQueue)}
	if slices.ContainsFunc(a.cfg.Accounts, func(s configs.AccountSource) bool { return s.Rehash }) {
		a.users.OnOldHash = r.take
	}
	return r
}

// take queues a password, or drops it.
func (r *rehasher) take(p auth.Proof) {
	select {
	case r.proofs <- p:
	default:
	}
}

// run works until ctx ends.
func (r *rehasher) run(ctx context.Context) {
	pause := time.NewTimer(rehashPause)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-r.proofs:
			pause.Reset(rehashPause)
			select {
			case <-ctx.Done():
				return
			case <-pause.C:
			}
			r.tell(p.Name, r.rehash(ctx, p))
		}
	}
}

// errNotAsked: the account is not in a file that is to be changed, or no more as it was.
var errNotAsked = errors.New("the account's file does not ask for it")

// rehash replaces the hash that the password was checked against, unless the account has
// another by now.
func (r *rehasher) rehash(ctx context.Context, p auth.Proof) error {
	source, name := r.find(p)
	if source < 0 {
		return errNotAsked
	}
	hash, err := auth.Hash(p.Password)
	if err != nil {
		return err
	}
	return EditAccounts(ctx, r.accounts.cfg, source, func(text []byte) ([]byte, error) {
		return usersfile.ReplacePassword(text, name, p.Hash, hash)
	})
}

// find is the file that the account is in, and its name there; -1 if none is to be changed.
func (r *rehasher) find(p auth.Proof) (source int, name string) {
	r.accounts.reading.Lock()
	defer r.accounts.reading.Unlock()
	for _, account := range r.accounts.all() {
		if !account.Hidden && account.Name == p.Name && account.Password.Reveal() == p.Hash && account.Source >= 0 {
			if r.accounts.cfg.Accounts[account.Source].Rehash {
				return account.Source, account.Name
			}
		}
	}
	return -1, ""
}

// tell logs what has come of it. What goes wrong for one goes wrong for all, and is said
// once.
func (r *rehasher) tell(user string, err error) {
	switch {
	case err == nil:
		r.complaint = ""
		r.accounts.log.Info("a password was hashed anew", slog.String("user", user))
	case errors.Is(err, errNotAsked), errors.Is(err, usersfile.ErrOtherPassword), errors.Is(err, usersfile.ErrUnknown), errors.Is(err, context.Canceled):
	case err.Error() != r.complaint:
		r.complaint = err.Error()
		r.accounts.log.Error("a password could not be hashed anew; its old hash stays, and serves",
			slog.String("user", user), slog.String("err", oneLine(r.complaint)))
	}
}
