package guard

import (
	"net/netip"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Bounds of the memory, about 30 MiB when an attack from tens of thousands of addresses has
// filled all of it; an address or an account takes some 400 octets.
const (
	maxAddresses = 1 << 14 // also of failing pairs, and of bans
	maxKnown     = 1 << 15
	maxAccounts  = 1 << 16
)

const (
	// knownFor is how long an account is known where it has logged in.
	knownFor = 30 * 24 * time.Hour
	// failedFor is how long a failure counts: for a ban, and for the delay of the next.
	failedFor = time.Hour
	maxDelay  = 16 * time.Second
)

// pair is an account, by the hash of its name, as seen from an address.
type pair struct {
	home    netip.Prefix
	account uint64
}

// memory is what the guard remembers. Only successes make entries in known and homes, so
// that no flood of failures drives them out.
type memory struct {
	addresses *simplelru.LRU[netip.Prefix, *address]
	failures  *simplelru.LRU[pair, *failing]
	known     *simplelru.LRU[pair, *acquaintance]
	homes     *simplelru.LRU[netip.Prefix, time.Time] // where accounts are known, and since when the last
	bans      *simplelru.LRU[netip.Prefix, *ban]      // in the order of their ends
	// accounts are by hash modulo the length: names that do not exist cannot drive out those
	// that do. Two that share a meter, one pair in 65,536, share what they lose by it.
	accounts []*meter
}

// address is what strangers do at an address.
type address struct {
	guesses  meter
	failures int       // logins that failed
	since    time.Time // the first of them
}

// failing is what has failed of a pair.
type failing struct {
	failures int
	last     time.Time
	guess    uint32    // of the last password that was found wrong
	checked  time.Time // when; zero if none was
	refused  maybe     // the last that was not looked at
}

// maybe is a guess, or none.
type maybe struct {
	guess uint32
	there bool
}

func some(guess uint32) maybe { return maybe{guess, true} }

func (m maybe) is(guess uint32) bool { return m.there && m.guess == guess }

// acquaintance is an account that has logged in from an address, with guesses of its own.
type acquaintance struct {
	seen         time.Time
	minute, hour meter
}

func newMemory() memory {
	return memory{
		addresses: newLRU[netip.Prefix, *address](maxAddresses),
		failures:  newLRU[pair, *failing](maxAddresses),
		known:     newLRU[pair, *acquaintance](maxKnown),
		homes:     newLRU[netip.Prefix, time.Time](maxKnown),
		bans:      newLRU[netip.Prefix, *ban](maxAddresses),
		accounts:  make([]*meter, maxAccounts),
	}
}

func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	lru, _ := simplelru.NewLRU[K, V](size, nil) // fails only if size is not positive
	return lru
}

func (m *memory) address(home netip.Prefix) *address {
	a, ok := m.addresses.Get(home)
	if !ok {
		a = &address{}
		m.addresses.Add(home, a)
	}
	return a
}

func (m *memory) account(hash uint64) *meter {
	at := &m.accounts[hash%maxAccounts]
	if *at == nil {
		*at = &meter{}
	}
	return *at
}

// failed is what a pair has failed of late.
func (m *memory) failed(p pair, now time.Time) (*failing, bool) {
	f, ok := m.failures.Get(p)
	return f, ok && now.Sub(f.last) < failedFor
}

// failing is failed for a pair that fails now.
func (m *memory) failing(p pair, now time.Time) *failing {
	f, ok := m.failed(p, now)
	if !ok {
		f = &failing{}
		m.failures.Add(p, f)
	}
	return f
}

// fail counts a failure and returns by how long its answer is put off: by nothing at first,
// since anybody may mistype, then by 1 s, 2 s, 4 s and so on.
func (f *failing) fail(now time.Time) time.Duration {
	f.failures++
	f.last = now
	if f.failures == 1 {
		return 0
	}
	return min(time.Second<<min(f.failures-2, 10), maxDelay)
}

func (m *memory) knows(p pair, now time.Time) (*acquaintance, bool) {
	k, ok := m.known.Get(p)
	return k, ok && now.Sub(k.seen) < knownFor
}

// inhabited tells whether any account is known at an address.
func (m *memory) inhabited(home netip.Prefix, now time.Time) bool {
	seen, ok := m.homes.Get(home)
	return ok && now.Sub(seen) < knownFor
}

// learn makes a pair known and forgets what it has failed.
func (m *memory) learn(p pair, now time.Time) {
	m.failures.Remove(p)
	m.homes.Add(p.home, now)
	if k, ok := m.known.Get(p); ok {
		k.seen = now
		return
	}
	m.known.Add(p, &acquaintance{seen: now})
}
