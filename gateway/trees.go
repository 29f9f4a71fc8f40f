package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/readthrough"
	"causeway/configs"
	"causeway/gateway/migrate"
)

// Trees are two places in stores of a configuration, opened for a migration. Nothing of a
// gateway stands before them: no cache, no quota and no account.
type Trees struct {
	From, To migrate.Tree
	Files    int // most at a time, so that connections to an FTP server are left for listings

	stores map[string]backends.Backend
}

// ErrPlace is a place that cannot be; the text says why.
var ErrPlace = errors.New("no such place")

// OpenTrees opens the stores of two places, written STORE:PATH, and no others.
// The caller closes the trees.
func OpenTrees(ctx context.Context, cfg *configs.Config, from, to string) (*Trees, error) {
	source, err := placeOf(cfg, from)
	if err != nil {
		return nil, err
	}
	target, err := placeOf(cfg, to)
	if err != nil {
		return nil, err
	}
	if source.store == target.store && (strings.HasPrefix(source.prefix, target.prefix) || strings.HasPrefix(target.prefix, source.prefix)) {
		return nil, fmt.Errorf("%w: one of %s and %s is in the other", ErrPlace, from, to)
	}
	only := *cfg
	only.Stores = map[string]configs.Store{source.store: cfg.Stores[source.store], target.store: cfg.Stores[target.store]}
	// Without the spool: it is the gateway's, which may be running.
	budget := multipart.NewBudget(int64(cfg.Limits.Buffers), nil)
	stores, err := openStores(ctx, &only, commonOf(&only, budget, slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, err
	}
	return &Trees{
		From:   migrate.Tree{Store: stores[source.store], Prefix: source.prefix},
		To:     migrate.Tree{Store: stores[target.store], Prefix: target.prefix},
		Files:  min(filesAtATime(cfg.Stores[source.store]), filesAtATime(cfg.Stores[target.store])),
		stores: stores,
	}, nil
}

// Gone tells whether what From has under a name below its prefix was deleted at To by a client of
// a gateway: [migrate.Options.Gone].
func (t *Trees) Gone(ctx context.Context, name string, from backends.Object) (bool, error) {
	return readthrough.Gone(ctx, t.To.Store, t.To.Prefix, t.To.Prefix+name, from.ModTime)
}

// filesAtATime is how many files of a store may be copied at a time.
func filesAtATime(s configs.Store) int {
	if s.Kind != configs.FTP {
		return math.MaxInt
	}
	return max(cmp.Or(s.Connections, configs.DefaultConnections)-1, 1)
}

// Close closes the stores.
func (t *Trees) Close() error { return closeStores(t.stores) }

// placeOf reads STORE:PATH. A path is that of a directory, with or without a slash at either end.
func placeOf(cfg *configs.Config, text string) (place, error) {
	store, path, ok := strings.Cut(text, ":")
	if _, there := cfg.Stores[store]; !ok || !there {
		return place{}, fmt.Errorf("%w: %q is not STORE:PATH of a store of the configuration, which has %s",
			ErrPlace, text, strings.Join(slices.Sorted(maps.Keys(cfg.Stores)), ", "))
	}
	path = strings.Trim(path, "/")
	if path == "" {
		return place{store: store}, nil
	}
	for _, name := range strings.Split(path, "/") {
		if name == "" || name == "." || name == ".." || name == backends.Reserved {
			return place{}, fmt.Errorf("%w: %q has a segment %q", ErrPlace, text, name)
		}
	}
	return place{store: store, prefix: path + "/"}, nil
}
