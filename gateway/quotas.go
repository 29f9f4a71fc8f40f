package gateway

import (
	"context"
	"log/slog"
	"sync"

	"causeway/auth"
	"causeway/backends"
	"causeway/gateway/quota"
)

// quotas are the ledgers of all stores, by name. A ledger is one whoever writes to its
// bucket, and by whatever credentials.
type quotas map[string]*quota.Ledger

func newQuotas(stores map[string]backends.Backend, log *slog.Logger) quotas {
	q := make(quotas, len(stores))
	for name, store := range stores {
		q[name] = quota.NewLedger(store, quota.Options{Log: log.With("store", name)})
	}
	return q
}

// over puts the ledger of a store before a way to it.
func (q quotas) over(name string, way backends.Backend) backends.Backend { return q[name].Backend(way) }

// overAll is over for all stores.
func (q quotas) overAll(stores map[string]backends.Backend) map[string]backends.Backend {
	decorated := make(map[string]backends.Backend, len(stores))
	for name, store := range stores {
		decorated[name] = q.over(name, store)
	}
	return decorated
}

// replace takes over the quotas of trees, and there are no others then. Of two that speak of
// one tree the last counts.
func (q quotas) replace(said []charge) {
	limits := make(map[string]map[string]quota.Limit, len(q))
	for _, c := range said {
		if c.quota == (auth.Quota{}) {
			continue
		}
		if limits[c.store] == nil {
			limits[c.store] = make(map[string]quota.Limit)
		}
		limits[c.store][c.prefix] = quota.Limit{Bytes: c.quota.Bytes, Files: c.quota.Files}
	}
	for store, ledger := range q {
		ledger.Replace(limits[store])
	}
}

// run counts until ctx ends.
func (q quotas) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, ledger := range q {
		all.Go(func() { ledger.Run(ctx) })
	}
	all.Wait()
}
