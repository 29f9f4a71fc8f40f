package main

import (
	"context"
	"math"
	"sync"
	"time"

	"causeway/gateway/migrate"
)

// teller tells a migration as it goes. Its methods are not called at the same time.
type teller interface {
	every() time.Duration // how often progress is wanted
	counts() bool         // whether the total is wanted, for which the source is listed once more
	event(migrate.Event)
	progress(standing)
	report(migrate.Report, error)
}

// standing is how far a migration is.
type standing struct {
	files, octets int64         // settled; octets of files under way, too
	total         migrate.Count // zero while it is not known
	failed        int64
	rate          float64       // octets a second that came from the source, lately
	left          time.Duration // 0 while it is not known
	took          time.Duration
}

// watch passes on to a teller what a migration does, and at times how far it is. All methods
// but finish may be called from several goroutines.
type watch struct {
	to   teller
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	meter meter
}

// newWatch has the options tell it. The caller calls finish.
func newWatch(ctx context.Context, to teller, o *migrate.Options) *watch {
	ctx, stop := context.WithCancel(ctx)
	w := &watch{to: to, stop: stop, meter: meter{begun: time.Now(), full: o.Verify == migrate.VerifyFull}}
	w.meter.seen = w.meter.begun
	o.Tell, o.Progress, o.Resumed = w.event, w.octets, w.resumed
	w.done.Go(func() { w.tick(ctx) })
	if to.counts() {
		options := *o
		w.done.Go(func() { w.count(ctx, options) })
	}
	return w
}

func (w *watch) event(e migrate.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter.settle(e)
	w.to.event(e)
}

func (w *watch) octets(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter.came += n
}

func (w *watch) resumed(name string, n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter.resume(name, n)
}

func (w *watch) tick(ctx context.Context) {
	ticker := time.NewTicker(w.to.every())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.progress()
		case <-ctx.Done():
			return
		}
	}
}

func (w *watch) progress() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to.progress(w.meter.stand(time.Now()))
}

// count has no total if the listing fails: the run tells why, if it matters.
func (w *watch) count(ctx context.Context, o migrate.Options) {
	total, err := migrate.Total(ctx, o)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.meter.total = total
}

// finish tells how far it has come, and what has become of all.
func (w *watch) finish(r migrate.Report, err error) {
	w.stop()
	w.done.Wait()
	w.progress()
	w.to.report(r, err)
}

const (
	// lately is the time in which what is measured loses most of its weight.
	lately = 15 * time.Second
	// fileCost is what a file takes beside its octets, as octets: many small ones are slow.
	fileCost = 64 << 10
)

// meter measures a migration.
type meter struct {
	full  bool // what is the same is read, too
	begun time.Time
	total migrate.Count
	came  int64               // octets, from the source
	had   int64               // octets of files that are gone on with, when they were
	large map[string]struct{} // files under way that may be

	files, failed int64
	read, passed  int64 // octets of settled files that were read at the source, and that were not

	seen       time.Time // when it was looked at last
	seenCame   int64
	seenWork   int64
	rate, pace float64 // of octets, and of work, a second
}

// resume counts what was there of a file. What it is gone on with after another try has been
// counted as it came.
func (m *meter) resume(name string, n int64) {
	if _, again := m.large[name]; again {
		return
	}
	if m.large == nil {
		m.large = make(map[string]struct{})
	}
	m.large[name] = struct{}{}
	m.had += n
}

// settle counts a file. Directories take no time that anybody waits for.
func (m *meter) settle(e migrate.Event) {
	delete(m.large, e.Name)
	if e.Fails() {
		m.failed++
	}
	if e.Directory() || e.Outcome == migrate.Extra {
		return
	}
	m.files++
	if e.Outcome == migrate.Copied || e.Fails() || m.full && e.Outcome == migrate.Same {
		m.read += e.Size
	} else {
		m.passed += e.Size
	}
}

// stand is how far it is now. What was read more than once, and what came to the source
// since it was counted, does not make more than there is.
func (m *meter) stand(now time.Time) standing {
	s := standing{files: m.files, octets: m.passed + max(m.read, m.had+m.came), failed: m.failed, total: m.total, took: now.Sub(m.begun)}
	if s.total != (migrate.Count{}) {
		s.total.Files = max(s.total.Files, s.files)
		s.octets = min(s.octets, max(s.total.Octets, m.passed+m.read))
		s.total.Octets = max(s.total.Octets, s.octets)
	}
	work := s.octets + s.files*fileCost
	worked := work - m.had
	if took := now.Sub(m.seen).Seconds(); took > 0 {
		m.rate = m.smooth(m.rate, float64(m.came-m.seenCame)/took, took)
		m.pace = m.smooth(m.pace, float64(worked-m.seenWork)/took, took)
		m.seen, m.seenCame, m.seenWork = now, m.came, worked
	}
	s.rate = m.rate
	if rest := s.total.Octets + s.total.Files*fileCost - work; rest > 0 && m.pace >= 1 {
		s.left = time.Duration(min(float64(rest)/m.pace, math.MaxInt32) * float64(time.Second)).Round(time.Second)
	}
	return s
}

// smooth weighs a new value, of so many seconds, with those before it.
func (m *meter) smooth(old, value, seconds float64) float64 {
	if m.seen.Equal(m.begun) {
		return value
	}
	weight := math.Exp(-seconds / lately.Seconds())
	return old*weight + value*(1-weight)
}
