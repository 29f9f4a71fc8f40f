package ftp

import "sync"

// maxRemembered bounds the accounts of each half of an accountSet.
const maxRemembered = 10_000

// accountSet remembers accounts, those seen longest ago not for ever: when one half is
// full, it replaces the other. Its methods may be called from any goroutine.
type accountSet struct {
	mu          sync.Mutex
	recent, old map[string]struct{}
}

func newAccountSet() *accountSet {
	return &accountSet{recent: make(map[string]struct{})}
}

func (a *accountSet) add(account string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.recent) >= maxRemembered {
		a.recent, a.old = make(map[string]struct{}), a.recent
	}
	a.recent[account] = struct{}{}
}

func (a *accountSet) has(account string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, recent := a.recent[account]
	_, old := a.old[account]
	return recent || old
}
