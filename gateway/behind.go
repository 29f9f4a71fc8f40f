package gateway

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/auth"
	"causeway/backends"
	"causeway/backends/readthrough"
	"causeway/configs"
	"causeway/gateway/ftp"
	"causeway/gateway/names"
)

// behinds are what is behind the mounts of all stores, by the stores' names: behind whatever
// way an account has to a store, and before its ledger, so that what is copied from behind
// counts once it is here.
type behinds struct {
	stores  map[string]backends.Backend // that may be behind others
	trees   map[string]bool             // those of them that are trees of directories
	names   map[backends.Backend]string
	routes  map[string]*readthrough.Routes
	log     *slog.Logger
	metrics *metrics // nil for none

	mu     sync.Mutex
	behind map[string]bool // stores that are behind others now
	told   map[notice]bool // what the log has been told of the routes that there are
	quiet  map[string]hush // by store
}

// notice is what the log tells of routes once.
type notice struct {
	store, prefix string
	what          string
}

// hush is when the log was told last that what is behind a store does not answer.
type hush struct {
	until time.Time
	since int // times that it was not told
}

// hushed is for how long.
const hushed = time.Minute

func newBehinds(cfg *configs.Config, stores map[string]backends.Backend, q quotas, log *slog.Logger, m *metrics) *behinds {
	b := &behinds{
		stores: stores, trees: make(map[string]bool), names: make(map[backends.Backend]string), routes: make(map[string]*readthrough.Routes),
		log: log, metrics: m, quiet: make(map[string]hush),
	}
	for name, store := range stores {
		b.trees[name] = providers()[cfg.Stores[name].Kind].tree
		b.names[store] = name
		b.routes[name] = readthrough.NewRoutes(q.over(name, store), readthrough.Options{ContentType: names.ContentType, Observer: b.observer(name)})
	}
	return b
}

// over puts what is behind a store behind a way to it.
func (b *behinds) over(name string, way backends.Backend) backends.Backend {
	return b.routes[name].Over(way)
}

// replace takes over what is behind mounts, and there is nothing else then. It returns what is
// said without the retentions that have to wait for the end of that. The log is told of what is
// news in it.
func (b *behinds) replace(said []charge) []charge {
	notices := make(map[notice]bool)
	routes, behind := b.routesOf(said, notices)
	spared := spare(said, notices)
	b.mu.Lock()
	defer b.mu.Unlock()
	for n := range notices {
		if !b.told[n] {
			b.log.Warn(n.what, slog.String("store", n.store), slog.String("prefix", n.prefix))
		}
	}
	b.told, b.behind = notices, behind
	for name := range b.routes {
		b.routes[name].Replace(routes[name])
	}
	return spared
}

// routesOf are the routes of each store, and the stores that they lead to. Of two that speak of
// the same keys the last counts.
func (b *behinds) routesOf(said []charge, notices map[notice]bool) (routes map[string][]readthrough.Route, behind map[string]bool) {
	routes, behind = make(map[string][]readthrough.Route), make(map[string]bool)
	last := make(map[place]auth.Behind)
	for _, c := range said {
		if c.behind == (auth.Behind{}) {
			continue
		}
		behind[c.behind.Store] = true
		routes[c.store] = append(routes[c.store], b.route(c))
		at := place{c.store, c.prefix}
		if other, there := last[at]; there && other != c.behind {
			notices[notice{c.store, c.prefix, "two mounts of the same keys say different things of what is behind; the last one counts"}] = true
		}
		last[at] = c.behind
		if until := c.behind.Until; !until.IsZero() && !time.Now().Before(until) {
			notices[notice{c.store, "", "the last day of what is behind some mounts is over; it is not asked any more"}] = true
		}
	}
	return routes, behind
}

func (b *behinds) route(c charge) readthrough.Route {
	return readthrough.Route{
		Prefix: c.prefix, Behind: b.stores[c.behind.Store], Path: c.behind.Prefix, Until: c.behind.Until, Tree: b.trees[c.behind.Store],
		CopyOnRead: c.behind.CopyOnRead, Mirror: c.behind.Mirror,
	}
}

// spare is what is said without retentions of keys that have, or are among those that have,
// something behind: what such a retention ends would come back from there.
func spare(said []charge, notices map[notice]bool) []charge {
	inside, around := make(map[place]bool), make(map[place]bool)
	for _, c := range said {
		if c.behind == (auth.Behind{}) {
			continue
		}
		inside[place{c.store, c.prefix}] = true
		for dir := range dirsOf(c.prefix) {
			around[place{c.store, dir}] = true
		}
	}
	if len(inside) == 0 {
		return said
	}
	spared := slices.Clone(said)
	for i, c := range spared {
		touched := around[place{c.store, c.prefix}]
		for dir := range dirsOf(c.prefix) {
			touched = touched || inside[place{c.store, dir}]
		}
		if c.retention.Days > 0 && touched {
			notices[notice{c.store, c.prefix, "a retention does nothing while something is behind its keys"}] = true
			spared[i].retention = auth.Retention{}
		}
	}
	return spared
}

// dirsOf yields a prefix, and those that it is in, as far as "".
func dirsOf(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for dir := prefix; yield(dir) && dir != ""; {
			dir = dir[:strings.LastIndexByte(dir[:len(dir)-1], '/')+1]
		}
	}
}

// has tells whether a store is behind others.
func (b *behinds) has(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.behind[name]
}

// onlyBehind tells whether a store is behind others now, and nothing else is mounted from it as
// far as the configuration says.
func (g *Gateway) onlyBehind(name string) bool {
	accounts := g.accounts.Load()
	return g.behinds.has(name) && !slices.Contains(accounts.cfg.Mounted(), name)
}

// run makes behind what is changed here, where a mount says so, until ctx ends.
func (b *behinds) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, routes := range b.routes {
		all.Go(func() { routes.Mirror(ctx) })
	}
	all.Wait()
}

// observer has what happens behind a store logged and counted.
func (b *behinds) observer(store string) readthrough.Observer {
	return func(ctx context.Context, route readthrough.Route, event readthrough.Event, key string, err error) {
		behind := b.names[route.Behind]
		if b.metrics != nil {
			b.metrics.behind.event(store, behind, event)
		}
		log := b.log.With("store", store, "behind", behind, "key", key)
		if id := ftp.TransferOf(ctx); id != "" {
			log = log.With("transfer", id)
		}
		switch event {
		case readthrough.Unreachable:
			b.unreachable(store, log, err)
		case readthrough.Copied:
			log.Info("a file was copied from behind")
		case readthrough.NotCopied:
			log.Warn("a file that was read from behind could not be copied", slog.Any("err", err))
		case readthrough.NotMirrored:
			log.Warn("what has changed could not be changed behind; it will be tried again", slog.Any("err", err))
		}
	}
}

// unreachable logs that what is behind a store does not answer, but not for each question that
// it does not answer.
func (b *behinds) unreachable(store string, log *slog.Logger, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.quiet[store]
	if q.since++; time.Now().Before(q.until) {
		b.quiet[store] = q
		return
	}
	log.Warn("what is behind does not answer", slog.Int("count", q.since), slog.Any("err", err))
	b.quiet[store] = hush{until: time.Now().Add(hushed)}
}

// behindOf is what is configured to be behind a mount.
func behindOf(b configs.Behind, mirror bool) auth.Behind {
	if !b.Enabled() {
		return auth.Behind{}
	}
	return auth.Behind{Store: b.Store, Prefix: b.Prefix(), Until: b.Until.End(), CopyOnRead: b.Copy == configs.BehindOnRead, Mirror: mirror}
}
