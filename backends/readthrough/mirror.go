package readthrough

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"causeway/backends"
)

// mirrors is where the records of keys are that are to be made the same behind, at the root of
// the front. Their names are in the order of time, and each has its key as content, which may
// be as long as a key can be.
const mirrors = backends.Reserved + "/mirror/"

// queue are the records of a front. What is changed here is written down before it is changed,
// and made the same behind after that, however late: a record goes when that is done.
type queue struct {
	own  backends.Backend
	now  func() time.Time
	run  string        // in the names of the records of this process
	wake chan struct{} // has room for one: there may be something to do

	mu      sync.Mutex
	made    int                  // records by this process
	open    map[string]time.Time // those of changes that are under way, or may come to pass until then
	doubted map[string]bool      // those of open that may, and have not been looked at since
	known   map[string]string    // keys of records, so that few are read
	waiting int                  // records that are there
}

// maxKnown bounds the keys that are remembered, 1 KiB each at worst.
const maxKnown = 10_000

func newQueue(own backends.Backend, now func() time.Time) *queue {
	return &queue{
		own: own, now: now, run: rand.Text(), wake: make(chan struct{}, 1),
		open: make(map[string]time.Time), doubted: make(map[string]bool), known: make(map[string]string),
	}
}

// dirty makes durable, before a key changes here, that it is to be made the same behind. The
// caller calls done with what the change has ended with. A record of a change that never came
// costs a look.
func (q *queue) dirty(ctx context.Context, key string) (done func(error), err error) {
	name := q.begin(key)
	if err := q.write(ctx, name, key); err != nil {
		q.settled(name) // it may have been written all the same
		return nil, err
	}
	return func(err error) { q.changed(name, err) }, nil
}

// begin is the name of a record of a change of key that is under way.
func (q *queue) begin(key string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.made++
	q.waiting++
	name := fmt.Sprintf("%s%019d-%s-%d", mirrors, q.now().UnixNano(), q.run, q.made)
	q.open[name] = time.Time{}
	q.remember(name, key)
	return name
}

// remember notes the key of a record. q.mu is held.
func (q *queue) remember(name, key string) {
	if len(q.known) >= maxKnown {
		clear(q.known)
	}
	q.known[name] = key
}

func (q *queue) write(ctx context.Context, name, key string) error {
	err := put(ctx, q.own, name, key, backends.CreateOptions{ContentType: "text/plain"})
	if err != nil {
		err = doubt("mirror", key, err)
	}
	return err
}

// changed says what the change of a record has ended with. One of which nobody knows may still
// come to pass, after a look that finds nothing: it is looked at now, and once more when no
// change takes that long.
func (q *queue) changed(name string, err error) {
	if !errors.Is(err, backends.ErrUnavailable) {
		q.settled(name)
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.doubted[name] = true
	q.open[name] = q.now().Add(mirrorAge)
	q.signal()
}

// settled says that the change of a record is over.
func (q *queue) settled(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, name)
	delete(q.doubted, name)
	q.signal()
}

// expire settles the changes that cannot come to pass any more. q.mu is held.
func (q *queue) expire() {
	for name, until := range q.open {
		if !until.IsZero() && !q.now().Before(until) {
			delete(q.open, name)
			delete(q.doubted, name)
		}
	}
}

// doubtful tells, once, that nobody knows whether the change of a record will come to pass.
func (q *queue) doubtful(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	is := q.doubted[name]
	delete(q.doubted, name)
	return is
}

// signal says that there may be something to do.
func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default: // said already, and not heard yet
	}
}

// key is that of a record. fs.ErrNotExist if the record has gone.
func (q *queue) key(ctx context.Context, name string) (string, error) {
	q.mu.Lock()
	key, ok := q.known[name]
	q.mu.Unlock()
	if ok {
		return key, nil
	}
	r, err := q.own.Open(ctx, name, backends.OpenOptions{})
	if err != nil {
		return "", err
	}
	defer r.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(r, backends.MaxKey+1))
	if err != nil {
		return "", err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remember(name, string(text))
	return string(text), nil
}

// remove ends records whose key is the same behind, and returns those that have ended. What
// stays is done again.
func (q *queue) remove(ctx context.Context, names []string) []string {
	for i, name := range names {
		if err := q.own.Delete(ctx, name, backends.DeleteOptions{}); err != nil {
			return names[:i]
		}
		q.mu.Lock()
		delete(q.known, name)
		q.waiting--
		q.mu.Unlock()
	}
	return names
}

// mine tells whether a record is of this process, and which one.
func (q *queue) mine(name string) (number int, mine bool) {
	_, rest, ok := strings.Cut(name, "-"+q.run+"-")
	if !ok {
		return 0, false
	}
	_, err := fmt.Sscan(rest, &number)
	return number, err == nil
}

// underway tells whether the change of a record is, or may still come to pass.
func (q *queue) underway(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, is := q.open[name]
	return is
}

// Queued is how many records there are of keys that are to be made the same behind, as far as
// this process knows.
func (r *Routes) Queued() int {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	return max(r.queue.waiting, 0)
}
