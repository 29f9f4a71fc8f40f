package gateway

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/auth"
	"causeway/backends"
	"causeway/gateway/audit"
)

// retention ends the files that are older than their mount keeps them, for devices that
// cannot. It deletes or moves the very version that it has seen to be old, so that several
// gateways may do so at a time, and it never leaves the prefix of a mount. A store has a
// goroutine of its own.
type retention struct {
	stores map[string]backends.Backend
	audit  *audit.Log // nil for none
	log    *slog.Logger
	now    func() time.Time // the clock that ages are told by

	mu    sync.Mutex
	rules map[string]prefixRules // by store; they are replaced, and never changed

	contested map[place]bool // that two rules are for
}

// place is a prefix of a store.
type place struct{ store, prefix string }

// prefixRules are those of a store, by prefix.
type prefixRules map[string]auth.Retention

func newRetention(log *slog.Logger) *retention {
	return &retention{log: log, now: time.Now, rules: make(map[string]prefixRules)}
}

// replace takes over the rules of prefixes, and there are no others then, for rounds under way
// too. Of two for one prefix the one counts that ends less, and the log says so when it is news.
func (r *retention) replace(said []charge) {
	all, contested := make(map[string]prefixRules), make(map[place]bool)
	for _, c := range said {
		if c.retention.Days == 0 {
			continue
		}
		if all[c.store] == nil {
			all[c.store] = make(prefixRules)
		}
		rule, there := all[c.store][c.prefix]
		if there && rule != c.retention {
			contested[place{c.store, c.prefix}] = true
		}
		if !there || milder(c.retention, rule) < 0 {
			all[c.store][c.prefix] = c.retention
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := range contested {
		if !r.contested[at] {
			r.log.Warn("two retentions are for the same keys; the one counts that ends less", slog.String("store", at.store), slog.String("prefix", at.prefix))
		}
	}
	r.rules, r.contested = all, contested
}

// milder compares retentions by what they end, the least first: none but in the log, then
// what is older, then what is moved.
func milder(a, b auth.Retention) int {
	rank := func(yes bool) int {
		if yes {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(rank(a.DryRun), rank(b.DryRun)),
		cmp.Compare(b.Days, a.Days),
		cmp.Compare(rank(a.To != ""), rank(b.To != "")),
		cmp.Compare(a.To, b.To),
	)
}

// of are the rules of a store now.
func (r *retention) of(store string) prefixRules {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rules[store]
}

// run works soon, then every hour, until ctx ends.
func (r *retention) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for name := range r.stores {
		all.Go(func() {
			for wait := firstRest; ; wait = maxRound {
				timer := time.NewTimer(wait)
				select {
				case <-ctx.Done():
					timer.Stop()
					return
				case <-timer.C:
					r.round(ctx, name)
				}
			}
		})
	}
}

// round ends what is too old in a store.
func (r *retention) round(ctx context.Context, store string) {
	for s := range r.expiries(store) {
		err := s.run(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
		case errors.Is(err, errReplaced):
			s.log.Info("the retention has changed; its round ends")
		default:
			s.log.Warn("not all files could be looked at for their age", slog.Any("err", err))
		}
		if s.failures > 0 {
			s.log.Warn("old files could not be ended", slog.Int("count", s.failures))
		}
		if s.rule.DryRun && s.old > 0 {
			s.log.Info("old files would be ended, but for dry_run", slog.Int("count", s.old))
		}
	}
}

// expiries are what a round has to do, by prefix.
func (r *retention) expiries(store string) iter.Seq[*expiry] {
	all := r.of(store)
	return func(yield func(*expiry) bool) {
		for _, prefix := range slices.Sorted(maps.Keys(all)) {
			s := &expiry{
				store: r.stores[store], prefix: prefix, rules: all, rule: all[prefix],
				now:    func() prefixRules { return r.of(store) },
				before: r.now().AddDate(0, 0, -all[prefix].Days),
				ended: func(o backends.Object, to string) {
					if r.audit != nil {
						r.audit.Expired(audit.Expired{Time: time.Now(), Store: store, Key: o.Key, To: to, Bytes: o.Size, Since: o.Since()})
					}
				},
				log: r.log.With("store", store, "prefix", prefix),
			}
			if !yield(s) {
				return
			}
		}
	}
}

// expiry is one round below one prefix.
type expiry struct {
	store    backends.Backend
	prefix   string
	now      func() prefixRules
	rules    prefixRules // of all prefixes of the store
	rule     auth.Retention
	before   time.Time                          // what has been as it is since then, or longer, is old
	ended    func(o backends.Object, to string) // writes it down
	log      *slog.Logger
	old      int
	failures int
	silent   int // files in a row for which the store had no answer
}

// maxNamed is how many files of a dry run the log names.
const maxNamed = 100

// maxSilent is after how many files in a row a store that does not answer is left alone until
// the next round. One file that it never answers for must not keep those behind it.
const maxSilent = 5

// errReplaced is that there is another rule for the prefix, or none.
var errReplaced = errors.New("the rule was replaced")

func (s *expiry) run(ctx context.Context) error {
	return s.each(ctx, func(o backends.Object) error {
		if s.rules = s.now(); s.rules[s.prefix] != s.rule {
			return errReplaced
		}
		if !s.covers(o) {
			return nil
		}
		return s.end(ctx, o)
	})
}

// each hands out all that is below the prefix, until an error.
func (s *expiry) each(ctx context.Context, do func(backends.Object) error) error {
	q := backends.Query{Prefix: s.prefix, Fresh: true}
	for {
		page, err := s.store.List(ctx, q)
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			if err := do(o); err != nil {
				return err
			}
		}
		if page.Next == "" || page.Next == q.Token {
			return nil
		}
		q.Token = page.Next
	}
}

// covers tells whether an object is a file, too old, and this rule's to end: what is below a
// prefix with a rule of its own, deeper down, is not. A directory stays if it has a marker.
func (s *expiry) covers(o backends.Object) bool {
	since := o.Since()
	if strings.HasSuffix(o.Key, "/") || !strings.HasPrefix(o.Key, s.prefix) || since.IsZero() || !since.Before(s.before) ||
		slices.Contains(strings.Split(o.Key, "/"), backends.Reserved) {
		return false
	}
	for prefix := range s.rules {
		if len(prefix) > len(s.prefix) && strings.HasPrefix(o.Key, prefix) {
			return false
		}
	}
	return true
}

// end ends one file. The error is one that ends the round.
func (s *expiry) end(ctx context.Context, o backends.Object) error {
	attrs := []any{slog.String("key", o.Key), slog.Int64("bytes", o.Size), slog.Time("since", o.Since())}
	if s.old++; s.rule.DryRun {
		if s.old <= maxNamed {
			s.log.Info("an old file would be ended", attrs...)
		}
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	var to string // its new key
	var err error
	if s.rule.To == "" {
		err = s.store.Delete(bounded, o.Key, backends.DeleteOptions{IfMatch: o.ETag})
	} else {
		to, err = s.move(bounded, o)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !errors.Is(err, backends.ErrUnavailable) {
		s.silent = 0
	}
	switch {
	case err == nil:
		s.log.Info("an old file was ended", append(attrs, slog.String("to", to))...)
		s.ended(o, to)
	case errors.Is(err, backends.ErrChanged), errors.Is(err, fs.ErrNotExist):
		// It is not what it was, or another gateway has been faster.
	default:
		if s.failures++; s.failures <= maxComplaints {
			s.log.Warn("an old file could not be ended", append(attrs, slog.Any("err", err))...)
		}
		if errors.Is(err, backends.ErrUnavailable) {
			if s.silent++; s.silent == maxSilent {
				return err
			}
		}
	}
	return rest(ctx)
}

// move moves a file to another key, which it tells, and nothing that is there gives way: if
// the name is taken, the file gets its time into its name.
func (s *expiry) move(ctx context.Context, o backends.Object) (to string, err error) {
	to = s.rule.To + strings.TrimPrefix(o.Key, s.prefix)
	options := backends.CopyOptions{SourceIfMatch: o.ETag, IfAbsent: true}
	_, _, err = backends.Move(ctx, s.store, to, o.Key, options)
	if errors.Is(err, fs.ErrExist) {
		to += "." + o.Since().UTC().Format("20060102T150405Z")
		_, _, err = backends.Move(ctx, s.store, to, o.Key, options)
	}
	return to, err
}
