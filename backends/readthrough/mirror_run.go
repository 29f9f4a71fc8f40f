package readthrough

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/backends"
)

const (
	// mirrorPeriod is how often records are looked for that other gateways may have left.
	mirrorPeriod = time.Minute
	// mirrorAge is how old a record must be to be no other gateway's affair any more: no
	// commit takes longer.
	mirrorAge = 10 * time.Minute
	// mirrorWidth is how many files are written behind at a time, which is kind to an old server.
	mirrorWidth = 4
	// maxMirrorPause is the longest pause after failures.
	maxMirrorPause = 5 * time.Minute
	// maxSilent is after how many keys in a row that were not answered nothing behind is asked
	// for a while. One key that is never answered for must not keep the others.
	maxSilent = 3
)

// Mirror makes behind what is changed here below the routes that say so, until ctx ends. It is
// called once. What fails is tried again, after pauses that grow, for as long as its route is
// there: nothing is dropped.
func (r *Routes) Mirror(ctx context.Context) {
	m := &mirroring{routes: r, queue: r.queue, first: true, early: make(map[string]bool), failed: make(map[string]pause), silent: make(map[backends.Backend]*silence)}
	for ctx.Err() == nil {
		began, wait := time.Now(), mirrorPeriod
		deaf := time.Duration(0)
		if r.all.Load().mirrors() {
			wait = m.pass(ctx)
			deaf = min(time.Since(began), mirrorPeriod) // with many records a pass takes long; half the time may go to that
			if m.resting() {
				deaf = wait
			}
		}
		pauseFor(ctx, deaf, nil)
		pauseFor(ctx, wait-deaf, r.queue.wake)
	}
}

// pauseFor waits until the time is up, ctx ends, or wake says something.
func pauseFor(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return // a timer that is due crashes programs in a bubble of synctest now and then (Go 1.26)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
	}
}

// mirrors tells whether any route has changes made behind.
func (t *table) mirrors() bool {
	for _, route := range t.routes {
		if route.Mirror {
			return true
		}
	}
	return false
}

// mirroring is the state of [Routes.Mirror].
type mirroring struct {
	routes *Routes
	queue  *queue
	first  bool // no pass has been made yet

	// early are records that are done at once, though their changes may be still to come, and
	// once more when they are settled: those of others that were there at the start, which may
	// be the process before this one's, and those of changes in doubt.
	early map[string]bool

	mu     sync.Mutex
	failed map[string]pause // by key
	silent map[backends.Backend]*silence
}

// pause is when something may be tried again.
type pause struct {
	until time.Time
	last  time.Duration
}

// next is the pause after p.
func (p pause) next(now time.Time) pause {
	last := min(max(2*p.last, time.Second), maxMirrorPause)
	return pause{now.Add(last), last}
}

// silence is of a store behind that may not answer.
type silence struct {
	pause
	keys int // in a row
}

// task is a key with the records of it that were there before it was looked at.
type task struct {
	key   string
	names []string
	early []string // that are looked at, and not done with by that
}

// tally counts the records of a pass.
type tally struct {
	made int // by this process before it began
	old  int // seen of those, and of others
	gone int // removed of those that were made since
}

// pass looks at all records once. It returns when the next is due.
func (m *mirroring) pass(ctx context.Context) time.Duration {
	m.queue.mu.Lock()
	m.queue.expire()
	t := tally{made: m.queue.made}
	m.queue.mu.Unlock()
	began := m.routes.now()
	q := backends.Query{Prefix: mirrors, Fresh: true}
	for {
		page, err := m.queue.own.List(ctx, q)
		if err != nil {
			return mirrorPeriod
		}
		records := slices.DeleteFunc(page.Objects, func(o backends.Object) bool { return marker(o.Key) }) // of a tree
		m.page(ctx, records, &t)
		if page.Next == "" || page.Next == q.Token || ctx.Err() != nil {
			break
		}
		q.Token = page.Next
	}
	if ctx.Err() == nil {
		m.first = false
		m.queue.mu.Lock()
		m.queue.waiting = t.old + m.queue.made - t.made - t.gone
		m.queue.mu.Unlock()
	}
	return m.due(began)
}

// page does what the records of a page tell: files first, then directories, the deepest first,
// so that those which are to go are empty.
func (m *mirroring) page(ctx context.Context, records []backends.Object, t *tally) {
	var removed sync.Map
	tasks := m.tasks(ctx, records)
	dirs := slices.DeleteFunc(slices.Clone(tasks), func(t *task) bool { return !marker(t.key) })
	var files errgroup.Group
	files.SetLimit(mirrorWidth)
	do := func(t *task) {
		for _, name := range m.do(ctx, t) {
			removed.Store(name, true)
		}
	}
	for _, t := range tasks {
		if !marker(t.key) {
			files.Go(func() error {
				do(t)
				return nil
			})
		}
	}
	_ = files.Wait() // none fails
	slices.SortFunc(dirs, func(a, b *task) int { return cmp.Compare(b.key, a.key) })
	for _, t := range dirs {
		do(t)
	}
	for _, o := range records {
		number, mine := m.queue.mine(o.Key)
		_, gone := removed.Load(o.Key)
		switch fresh := mine && number > t.made; {
		case fresh && gone:
			t.gone++
		case !fresh && !gone:
			t.old++
		}
	}
}

// tasks are the keys of records that may be looked at now, in the order of the first of each. A
// record of a change that may be under way is not done with by that: one of this process waits
// for the end of it, in doubt for as long as it may take, and one of another gateway until it
// is old.
func (m *mirroring) tasks(ctx context.Context, records []backends.Object) []*task {
	if m.resting() {
		return nil
	}
	byKey := make(map[string]*task)
	var tasks []*task
	for _, o := range records {
		_, mine := m.queue.mine(o.Key)
		unsettled := mine && m.queue.underway(o.Key) || !mine && m.young(o)
		early := m.first || mine && m.queue.doubtful(o.Key)
		if unsettled && early && len(m.early) < maxKnown {
			m.early[o.Key] = true
		}
		if unsettled && !m.early[o.Key] {
			continue
		}
		key, err := m.queue.key(ctx, o.Key)
		if err != nil {
			continue // it has gone, or the next pass will see
		}
		t := byKey[key]
		if t == nil {
			t = &task{key: key}
			byKey[key] = t
			tasks = append(tasks, t)
		}
		if unsettled {
			t.early = append(t.early, o.Key)
		} else {
			t.names = append(t.names, o.Key)
		}
	}
	return tasks
}

func (m *mirroring) young(o backends.Object) bool {
	return o.Since().After(m.routes.now().Add(-mirrorAge))
}

// resting tells whether nothing behind that changes are made in is asked now.
func (m *mirroring) resting() bool {
	now := m.routes.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, route := range m.routes.all.Load().routes {
		if s := m.silent[route.Behind]; route.Mirror && (s == nil || !now.Before(s.until)) {
			return false
		}
	}
	return true
}

// do makes one key the same behind, if it is due, and returns the records that it has ended.
func (m *mirroring) do(ctx context.Context, t *task) []string {
	route, ok := m.routes.of(t.key)
	switch {
	case ctx.Err() != nil:
		return nil
	case !ok || !route.Mirror:
		if !m.routes.all.Load().ended(t.key, m.routes.now()) {
			return nil // who logs in next may have brought the route
		}
	case !m.ready(t.key, route.Behind):
		return nil
	default:
		err := m.routes.same(ctx, t.key)
		if ctx.Err() != nil {
			return nil
		}
		m.settle(t.key, route.Behind, err)
		if err != nil {
			m.routes.tell(ctx, route, NotMirrored, t.key, err)
			return nil
		}
		m.routes.tell(ctx, route, Mirrored, t.key, nil)
	}
	m.mu.Lock()
	for _, name := range append(t.early, t.names...) {
		delete(m.early, name)
	}
	m.mu.Unlock()
	return m.queue.remove(ctx, t.names)
}

// ended tells whether key had a route by which it was changed behind, and has none by now.
func (t *table) ended(key string, now time.Time) bool {
	for _, route := range t.routes {
		if route.Mirror && route.ended(now) && strings.HasPrefix(key, route.Prefix) {
			return true
		}
	}
	return false
}

// ready tells whether a key may be tried.
func (m *mirroring) ready(key string, behind backends.Backend) bool {
	now := m.routes.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.silent[behind]
	return !now.Before(m.failed[key].until) && (s == nil || !now.Before(s.until))
}

// settle notes how a try has ended.
func (m *mirroring) settle(key string, behind backends.Backend, err error) {
	now := m.routes.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.silent[behind]
	if s == nil {
		s = new(silence)
		m.silent[behind] = s
	}
	switch {
	case err == nil:
		delete(m.failed, key)
		*s = silence{}
		return
	case errors.Is(err, backends.ErrUnavailable):
		if s.keys++; s.keys >= maxSilent {
			s.pause = s.next(now)
		}
	}
	if len(m.failed) >= maxKnown {
		clear(m.failed) // they are tried sooner
	}
	m.failed[key] = m.failed[key].next(now)
}

// due is how long the pass after the one that began then may wait. What was not to be tried yet at
// its beginning may have been passed over.
func (m *mirroring) due(began time.Time) time.Duration {
	now := m.routes.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	wait := mirrorPeriod
	soon := func(p pause) {
		if p.until.After(began) {
			wait = max(min(wait, p.until.Sub(now)), 0)
		}
	}
	for _, p := range m.failed {
		soon(p)
	}
	for _, s := range m.silent {
		soon(s.pause)
	}
	return wait
}
