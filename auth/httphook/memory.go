package httphook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"causeway/auth"
)

// maxRemembered bounds the accounts of each half of a memory.
const maxRemembered = 10_000

// memory holds the accounts of questions for a while, those asked longest ago not for ever:
// when one half is full, it replaces the other. It never holds a password, nor what one
// could be guessed by without its key. A nil memory holds nothing.
type memory struct {
	life time.Duration
	key  []byte

	mu          sync.Mutex
	recent, old map[place]entry
}

// place is where a question's account is kept.
type place [sha256.Size]byte

type entry struct {
	found auth.Found
	until time.Time
}

func newMemory(life time.Duration) *memory {
	return &memory{life: life, key: []byte(rand.Text()), recent: map[place]entry{}}
}

func (m *memory) placeOf(q question) place {
	mac := hmac.New(sha256.New, m.key)
	// Neither fails (hash.Hash), and strings have no form that JSON cannot take.
	_ = json.NewEncoder(mac).Encode(q)
	return place(mac.Sum(nil))
}

func (m *memory) get(q question) (*auth.Found, bool) {
	if m == nil {
		return nil, false
	}
	at := m.placeOf(q)
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.recent[at]
	if !ok {
		e, ok = m.old[at]
	}
	if !ok || !time.Now().Before(e.until) {
		return nil, false
	}
	return e.copy(), true
}

// copy is the account, which the caller may change.
func (e entry) copy() *auth.Found {
	f := e.found
	f.Values, f.Networks = maps.Clone(f.Values), slices.Clone(f.Networks)
	return &f
}

func (m *memory) put(q question, found *auth.Found) {
	if m == nil {
		return
	}
	at := m.placeOf(q)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.recent) >= maxRemembered {
		m.recent, m.old = map[place]entry{}, m.recent
	}
	m.recent[at] = entry{found: *entry{found: *found}.copy(), until: time.Now().Add(m.life)}
}
