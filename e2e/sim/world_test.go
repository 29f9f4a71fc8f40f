package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/gateway/ftp/memnet"
)

// trail is how many of the last events are shown with a failure.
const trail = 150

// mutation puts a mistake between the gateway and its store.
type mutation func(*faulty) backends.Backend

// world is one simulation. The goroutine that runs it draws what happens, lets it happen
// and waits until nothing moves; what clients and stores do meanwhile it guards by mu.
type world struct {
	seed     uint64
	driver   *rand.Rand // of the goroutine that runs it
	net      *memnet.Network
	bucket   *ledger
	accounts []*account
	clients  []*client
	mutant   mutation
	grace    time.Duration // of the gateway
	sharing  mount         // the mount that all accounts have
	dirs     []string      // where clients go

	mu       sync.Mutex
	chaos    *rand.Rand // of the store's faults
	gateway  *gateway
	trouble  int // faults in a thousand calls
	faults   int // that have struck
	ticks    int64
	denied   int64 // the tick at which the store has refused its last call for want of permission
	ops      []*op // in the order in which they were sent
	commands int
	seen     map[string]int // how often what happened
	failures []string
	events   []string
}

func newWorld(seed uint64) *world {
	w := &world{
		seed: seed, net: memnet.New(), gateway: &gateway{}, grace: grace,
		seen:   map[string]int{},
		driver: rand.New(rand.NewPCG(seed, 1)), chaos: rand.New(rand.NewPCG(seed, 2)),
	}
	w.bucket, w.dirs = newLedger(w), w.someDirs()
	w.populate()
	return w
}

// pick, chance and draw are the dice: draw is that of the faults.
func (w *world) pick(n int) int      { return w.driver.IntN(n) }
func (w *world) chance(one int) bool { return w.driver.IntN(one) == 0 }
func (w *world) draw(n int) int      { return w.chaos.IntN(n) }
func one[T any](w *world, of ...T) T { return of[w.pick(len(of))] }
func (w *world) tick() int64         { w.ticks++; return w.ticks }
func (w *world) number() int         { return len(w.ops) }

// failf notes that an invariant does not hold. mu is held.
func (w *world) failf(format string, args ...any) {
	if len(w.failures) < 10 {
		failure := fmt.Sprintf(format, args...)
		w.failures = append(w.failures, failure)
		w.event("FAILED " + failure)
	}
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failf(format, args...)
}

func (w *world) failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.failures) > 0
}

// event is shown with a failure. mu is held.
func (w *world) event(text string) {
	w.events = append(w.events, time.Now().Format("05.000 ")+text)
	if len(w.events) > trail {
		w.events = slices.Delete(w.events, 0, 1)
	}
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(fmt.Sprintf(format, args...))
}

// expect is for what cannot go wrong in a simulation that is right. mu is held.
func (w *world) expect(err error) {
	if err != nil {
		w.failf("simulator: %v", err)
	}
}

func (w *world) must(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expect(err)
}

// report is what a failed simulation has to tell.
func (w *world) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.failures, "\n") + "\nThe last events:\n\t" + strings.Join(w.events, "\n\t")
}

// run simulates so many steps in a bubble of testing/synctest, then lets all end and looks
// at what is left.
func (w *world) run(steps int) {
	w.start()
	for range steps {
		if w.failed() {
			break
		}
		w.step()
		time.Sleep(time.Millisecond) // so that no two steps are at one time
		synctest.Wait()
		w.succeed()
	}
	w.settle()
}

// step lets one thing happen.
func (w *world) step() {
	switch n := w.pick(1000); {
	case n < 900:
		w.clients[w.pick(len(w.clients))].act()
	case n < 940:
		w.pass(time.Duration(w.pick(3000)) * time.Millisecond)
	case n < 948:
		w.pass(time.Duration(w.pick(200)) * time.Second)
	case n < 970:
		w.mu.Lock()
		w.trouble = one(w, 0, 0, 10, 20, 50, 100, 300)
		w.event(fmt.Sprintf("trouble %d", w.trouble))
		w.mu.Unlock()
	case n < 988:
		w.meddle()
	case n < 993:
		w.sweep(one(w, 0, time.Minute, window))
	case w.gateway.ended != nil:
	case n < 998:
		w.note("gateway killed")
		w.kill()
	default:
		w.note("gateway drained")
		w.drain(time.Duration(w.pick(60)) * time.Second)
	}
}

func (w *world) pass(d time.Duration) {
	w.note("%v pass", d)
	time.Sleep(d)
}

// meddle changes an object behind the gateway's back.
func (w *world) meddle() {
	key := w.accounts[w.pick(len(w.accounts))].key(w.fileName())
	w.mu.Lock()
	if keys := w.busy(); len(keys) > 0 && !w.chance(3) {
		key = keys[w.pick(len(keys))]
	}
	n := 0x8000 + w.number()
	w.mu.Unlock()
	var content []byte
	if !w.chance(4) {
		content = describing(n, 16+w.pick(500))
	}
	w.note("%s is changed from outside: %s", key, brief(content))
	w.bucket.outside(key, content)
}

// busy are the files that the gateway is at.
func (w *world) busy() []string {
	var keys []string
	for _, o := range w.ops {
		for _, key := range []string{o.key, o.from} {
			base := key[strings.LastIndexByte(key, '/')+1:]
			if w.live(o) && (strings.HasPrefix(base, "f") || strings.HasPrefix(base, "r")) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// sweep is a round of the janitor, of this gateway or another.
func (w *world) sweep(older time.Duration) {
	before := time.Now().Add(-older)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var store backends.Backend = w.bucket
	if w.chance(2) {
		store = w.gateway.store
	}
	for p, err := range backends.ParkedUploads(ctx, store, backends.ParkedQuery{Fresh: true}) {
		if err != nil {
			return
		}
		if !p.ModTime.After(before) {
			_ = backends.Discard(ctx, store, p) // it is for the next round then
		}
	}
}

// settle lets all come to its end, and holds I5 against what is left.
func (w *world) settle() {
	w.mu.Lock()
	w.trouble = 0
	w.mu.Unlock()
	w.note("settling")
	for _, c := range w.clients {
		c.settle()
	}
	time.Sleep(20 * time.Minute)
	synctest.Wait()
	for _, c := range w.clients {
		c.settled()
	}
	w.succeed()
	if w.gateway.ended == nil {
		w.drain(time.Minute)
	}
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	if err := <-w.gateway.ended; err != nil {
		w.fail("S50: Shutdown: %v", err)
	}
	w.stopped()
	for _, c := range w.clients {
		c.vanish()
	}
	w.sweep(0)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if left := w.bucket.store.Uploads(); len(left) > 0 {
		w.failf("S17: the janitor has left %q", left)
	}
	w.bucket.audit()
	w.linearize()
}

// populate makes the accounts, their clients, and what no account may see.
func (w *world) populate() {
	w.sharing = w.sharedMount()
	w.accounts = []*account{
		{"ann", []mount{{path: "", prefix: "a/"}, w.sharing.at("/shared")}},
		{"bob", []mount{{path: "", prefix: "b/"}, w.sharing.at("/in/common")}},
		{"cy", []mount{w.sharing.at("")}},
	}
	for i := range 2 + w.pick(4) {
		addr := netip.AddrFrom4([4]byte{198, 51, 100, byte(i + 1)})
		w.clients = append(w.clients, &client{world: w, account: w.accounts[w.pick(len(w.accounts))], addr: addr})
	}
	for _, key := range []string{"a", "ab", "s", "sx/f0", "x/f0"} {
		w.bucket.outside(key, []byte(secret))
	}
}

// secret is what is in objects outside of all mounts; no client may ever read it.
const secret = "SECRET"
