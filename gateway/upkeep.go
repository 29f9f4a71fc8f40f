package gateway

import (
	"slices"
	"sync"

	"causeway/auth"
)

// upkeep is what all grants say of what there may be in their stores, for how long, and what is
// behind it: those
// of the configuration and its users files, which are replaced as a whole, then those of the
// accounts that providers have told of, each as of its last login.
type upkeep struct {
	apply func([]charge)

	mu     sync.Mutex // held while apply works, so that what is said last counts
	listed []charge
	told   []holder
}

// holder is a provider's account.
type holder struct {
	name    string
	charges []charge
}

// charge is what a grant says of the keys below its prefix.
type charge struct {
	store, prefix string
	quota         auth.Quota
	retention     auth.Retention
	behind        auth.Behind
}

// charges are those of grants that say anything.
func charges(grants []auth.Grant) []charge {
	var said []charge
	for _, g := range grants {
		if g.Quota != (auth.Quota{}) || g.Retention.Days > 0 || g.Behind != (auth.Behind{}) {
			said = append(said, charge{g.Store, g.Prefix, g.Quota, g.Retention, g.Behind})
		}
	}
	return said
}

// list takes over what all accounts of the configuration and users files are granted, in the
// place of what they were.
func (u *upkeep) list(grants []auth.Grant) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.listed = charges(grants)
	u.all()
}

// login takes over what a provider's account is granted, in the place of what it was.
func (u *upkeep) login(name string, grants []auth.Grant) {
	said := charges(grants)
	u.mu.Lock()
	defer u.mu.Unlock()
	at := slices.IndexFunc(u.told, func(h holder) bool { return h.name == name })
	switch {
	case at < 0 && len(said) == 0, at >= 0 && slices.Equal(u.told[at].charges, said):
		return
	case at >= 0:
		u.told = slices.Delete(u.told, at, at+1)
	}
	if len(said) > 0 {
		u.told = append(u.told, holder{name, said})
	}
	u.all()
}

// forget ends the retention of providers' accounts until their next logins: they were made by
// templates that may be others now. Their quotas stay, and what is behind their mounts, since
// their sessions go on. It takes a list to apply.
func (u *upkeep) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, h := range u.told {
		for i := range h.charges {
			h.charges[i].retention = auth.Retention{}
		}
	}
}

// all applies all that is said. u.mu is held.
func (u *upkeep) all() {
	said := slices.Clone(u.listed)
	for _, h := range u.told {
		said = append(said, h.charges...)
	}
	u.apply(said)
}
