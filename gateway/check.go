package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"causeway/backends"
	"causeway/configs"
)

// permission is what a store's credentials may do.
type permission string

const (
	put     permission = "put"
	list    permission = "list"
	get     permission = "get"
	discard permission = "delete"

	// parks is all of them below the place where uploads are written down.
	parks permission = "park"
)

// permissions are those that mounts need, in the order in which they are tried.
func permissions() []permission { return []permission{put, list, get, discard} }

// ErrDenied is a store that refuses what the rights of a mount need, or cannot be reached.
var ErrDenied = errors.New("stores do not allow what the mounts need")

// Check validates all of the configuration that [New] does, and tries on every store, by
// an object under the reserved name below each prefix that is mounted, what its credentials
// may do, and what those of accounts may that have their own. It prints one line for each
// store and permission, more where the prefixes differ, and one for each account that is
// hidden by another of its name. Sources of accounts that are kept elsewhere are asked for
// nobody, or connected to at least, and have a line each; the error matches ErrSource if one
// does not answer as it must. It matches ErrDenied if something is missing that
// the rights of some mount need: a store that may only be put to is right for a drop box.
// What a mount's retention would end now is counted.
// That uploads cannot be parked, and that an account's own credentials reach further than
// its mounts, is told, and is not a failure.
func Check(ctx context.Context, cfg *configs.Config, w io.Writer) error {
	accounts, err := newAccounts(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer accounts.close() //nolint:errcheck // they have been read by then
	cfg = accounts.check(w)
	if _, _, err := newTLS(cfg, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := checkAudit(cfg); err != nil {
		return err
	}
	budget, err := newBudget(cfg)
	if err != nil {
		return err
	}
	stores, err := openStores(ctx, cfg, commonOf(cfg, budget, slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	defer closeStores(stores) //nolint:errcheck // everything has been read and written by then
	if failed := accounts.checkSources(ctx, w); failed > 0 {
		err = fmt.Errorf("%w: %d failed", ErrSource, failed)
	}
	if missing := checkStores(ctx, cfg, stores, w); missing > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %d missing", ErrDenied, missing))
	}
	return err
}

// checkStores tries all stores at a time, since it takes a while to give up one that is
// down, and prints their lines in the order of their names. It returns how many
// permissions are missing.
func checkStores(ctx context.Context, cfg *configs.Config, stores map[string]backends.Backend, w io.Writer) (missing int) {
	names := slices.Sorted(maps.Keys(stores))
	all, unchecked := trials(ctx, cfg, names, stores)
	lines := make([]bytes.Buffer, len(all))
	counts := make([]int, len(all))
	var tries sync.WaitGroup
	for i, t := range all {
		tries.Go(func() { counts[i] = t.check(ctx, &lines[i]) })
	}
	tries.Wait()
	for i := range all {
		fmt.Fprint(w, lines[i].String())
		missing += counts[i]
	}
	for _, name := range names {
		if n := unchecked[name]; n > 0 {
			fmt.Fprintf(w, "%-12s  %-6s  not tried as %d more accounts with credentials of their own\n", name, "", n)
		}
	}
	return missing
}

// check prints the lines of one store and returns how many of them tell of something that
// is missing.
func (t trial) check(ctx context.Context, w io.Writer) (missing int) {
	if t.err != nil {
		fmt.Fprintf(w, "%-12s  %-6s  failed: %s\n", t.label, "", escape(t.err.Error()))
		return 1
	}
	provider := providers()[t.cfg.Stores[t.name].Kind]
	targets, all := targetsOf(t.cfg, t.name, provider.parts, t.upkeep)
	var found findings
	dead := false
	for _, at := range targets {
		if provider.sparing {
			at.tries = slices.DeleteFunc(at.tries, func(perm permission) bool { return !at.needs[perm] })
		}
		p := &probe{store: t.store, target: at, key: at.dir + "check-" + rand.Text(), tree: provider.sparing}
		results := p.run(ctx)
		for _, perm := range at.tries {
			found.add(perm, judge(results[perm], provider.grant[perm], at.needs[perm]), at.dir)
		}
		if p.left {
			found.left = append(found.left, p.key)
		}
		if dead = outOfOrder(results); dead {
			break // and so it is below the other prefixes
		}
	}
	if dir, stores := parkTarget(t.cfg, t.name); stores && !dead && provider.grant[parks] != "" {
		p := &probe{store: t.store, key: dir + "check-" + rand.Text()}
		found.add(parks, judgePark(bounded(ctx, p.park), provider.grant[parks]), dir)
	}
	missing = found.print(w, t.label)
	if len(targets) < all {
		fmt.Fprintf(w, "%-12s  %-6s  tried below %d of %d prefixes\n", t.label, "", len(targets), all)
	}
	if t.wall {
		t.checkWall(ctx, w)
	}
	if !dead {
		t.checkRetention(ctx, w)
	}
	return missing
}

// verdict says what became of a permission, and whether the mounts can live with it.
type verdict struct {
	text string
	ok   bool
}

var (
	// errUntried: there was nothing to try it on.
	errUntried = errors.New("could not be tried: no object to read was found")
	// errNoDirectory: a server of files was asked for one that is not there.
	errNoDirectory = errors.New("ok, though there is no such directory")
	// errSilent: two tries have waited for the store already.
	errSilent = errors.New("the store does not answer")
)

func judge(err error, grant string, needed bool) verdict {
	switch {
	case err == nil:
		return verdict{"ok", true}
	case errors.Is(err, errUntried), errors.Is(err, errNoDirectory):
		return verdict{err.Error(), true}
	case !errors.Is(err, fs.ErrPermission):
		return verdict{"failed: " + escape(err.Error()), !needed}
	case !needed:
		return verdict{"denied, and no mount needs it", true}
	default:
		return verdict{"denied: grant " + grant, false}
	}
}

// findings are the verdicts on one store, with the places that each holds for.
type findings struct {
	lines []finding
	left  []string // keys that could not be deleted
}

type finding struct {
	perm permission
	verdict
	places []string
}

func (f *findings) add(perm permission, v verdict, place string) {
	i := slices.IndexFunc(f.lines, func(known finding) bool { return known.perm == perm && known.verdict == v })
	if i < 0 {
		i = len(f.lines)
		f.lines = append(f.lines, finding{perm: perm, verdict: v})
	}
	f.lines[i].places = append(f.lines[i].places, place)
}

// print writes the lines, with the places where not all of them say the same, and returns
// how many tell of something that is missing.
func (f *findings) print(w io.Writer, store string) (missing int) {
	for _, perm := range append(permissions(), parks) {
		same := slices.DeleteFunc(slices.Clone(f.lines), func(o finding) bool { return o.perm != perm })
		for _, o := range same {
			text := o.text
			if len(same) > 1 {
				text += fmt.Sprintf(" (in %s)", escape(strings.Join(o.places, ", ")))
			}
			fmt.Fprintf(w, "%-12s  %-6s  %s\n", store, perm, text)
			if !o.ok {
				missing++
			}
		}
	}
	for _, key := range f.left {
		fmt.Fprintf(w, "%-12s  %-6s  left behind: %s\n", store, "", key)
	}
	return missing
}
