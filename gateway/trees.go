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

	Directories bool // of From: [migrate.Options.Directories]
	Signs       bool // of To: [migrate.Options.Signs]

	stores  map[string]backends.Backend
	leftOut leftOut
}

// ErrPlace is a place that cannot be; the text says why.
var ErrPlace = errors.New("no such place")

// OpenTrees opens the stores of two places, written STORE:PATH, and no others. The log hears of
// what listings leave out. The caller closes the trees.
func OpenTrees(ctx context.Context, cfg *configs.Config, from, to string, log *slog.Logger) (*Trees, error) {
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
	t := &Trees{
		Files:       min(filesAtATime(cfg.Stores[source.store]), filesAtATime(cfg.Stores[target.store])),
		Directories: isTree(cfg.Stores[source.store]),
		Signs:       !isTree(cfg.Stores[target.store]),
		stores:      make(map[string]backends.Backend),
	}
	// Without the spool: it is the gateway's, which may be running.
	budget := multipart.NewBudget(int64(cfg.Limits.Buffers), nil)
	shared := commonOf(cfg, budget, log)
	for _, name := range slices.Compact([]string{target.store, source.store}) {
		if name == source.store {
			shared.leftOut = t.leftOut.hear
		}
		if err := t.open(ctx, *cfg, name, shared); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	t.From = migrate.Tree{Store: t.stores[source.store], Prefix: source.prefix}
	t.To = migrate.Tree{Store: t.stores[target.store], Prefix: target.prefix}
	return t, nil
}

// isTree tells a store of files and directories, which keep no metadata but their time.
func isTree(s configs.Store) bool { return s.Kind == configs.FTP || s.Kind == configs.LocalDir }

// open opens one store.
func (t *Trees) open(ctx context.Context, cfg configs.Config, name string, shared common) error {
	cfg.Stores = map[string]configs.Store{name: cfg.Stores[name]}
	opened, err := openStores(ctx, &cfg, shared)
	maps.Copy(t.stores, opened)
	return err
}

// LeftOut is what listings of From have left out by now, each directory's and each link once.
func (t *Trees) LeftOut() migrate.LeftOut { return t.leftOut.all() }

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
