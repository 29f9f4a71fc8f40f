package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

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
)

// permissions are all of them, in the order in which they are tried.
func permissions() []permission { return []permission{put, list, get, discard} }

// probeTimeout bounds one try, with the store's own retries.
const probeTimeout = 30 * time.Second

// ErrDenied is a store that refuses what the rights of a mount need, or cannot be reached.
var ErrDenied = errors.New("stores do not allow what the mounts need")

// Check validates all of the configuration that [New] does, and tries on every store, by
// an object under the reserved prefix, what its credentials may do. It prints one line
// for each store and permission. The error matches ErrDenied if something is missing that
// the rights of some mount need: a store that may only be put to is right for a drop box.
func Check(ctx context.Context, cfg *configs.Config, w io.Writer) error {
	if _, err := newUsers(cfg); err != nil {
		return err
	}
	if _, err := newCharsets(cfg); err != nil {
		return err
	}
	if _, err := newTLS(cfg); err != nil {
		return err
	}
	stores, err := openStores(ctx, cfg)
	if err != nil {
		return err
	}
	defer closeStores(stores) //nolint:errcheck // everything has been read and written by then
	if missing := checkStores(ctx, cfg, stores, w); missing > 0 {
		return fmt.Errorf("%w: %d missing", ErrDenied, missing)
	}
	return nil
}

// checkStores tries all stores at a time, since it takes a while to give up one that is
// down, and prints their lines in the order of their names. It returns how many
// permissions are missing.
func checkStores(ctx context.Context, cfg *configs.Config, stores map[string]backends.Backend, w io.Writer) (missing int) {
	names := slices.Sorted(maps.Keys(stores))
	lines := make([]bytes.Buffer, len(names))
	counts := make([]int, len(names))
	var tries sync.WaitGroup
	for i, name := range names {
		tries.Go(func() { counts[i] = checkStore(ctx, cfg, name, stores[name], &lines[i]) })
	}
	tries.Wait()
	for i := range names {
		fmt.Fprint(w, lines[i].String())
		missing += counts[i]
	}
	return missing
}

// checkStore prints the lines of one store and returns how many permissions are missing.
func checkStore(ctx context.Context, cfg *configs.Config, name string, store backends.Backend, w io.Writer) (missing int) {
	use := useOf(cfg, name)
	dir := use.prefix + backends.Reserved + "/"
	p := &probe{store: store, dir: dir, key: dir + "check-" + rand.Text()}
	results := p.run(ctx)
	grant := providers()[cfg.Stores[name].Kind].grant
	for _, perm := range permissions() {
		verdict, ok := judge(results[perm], grant[perm], use.needs[perm])
		if !ok {
			missing++
		}
		fmt.Fprintf(w, "%-12s  %-6s  %s\n", name, perm, verdict)
	}
	if p.left {
		fmt.Fprintf(w, "%-12s  %-6s  %s\n", name, "", "left behind: "+p.key)
	}
	return missing
}

// use is what the mounts make of one store.
type use struct {
	needs  map[permission]bool
	prefix string // of all mounts; "" or ending in "/"
}

// useOf collects the mounts of a store. The prefix that they have in common is where its
// credentials can be expected to work.
func useOf(cfg *configs.Config, store string) use {
	u := use{needs: map[permission]bool{}}
	first := true
	add := func(name, prefix string, rights ...configs.Right) {
		if name != store {
			return
		}
		if first {
			u.prefix, first = prefix, false
		}
		u.prefix = commonPrefix(u.prefix, prefix)
		for _, r := range rights {
			for _, perm := range neededBy(r) {
				u.needs[perm] = true
			}
		}
	}
	for _, user := range cfg.Users {
		for _, m := range user.Mounts {
			add(m.Store, m.Prefix, m.Rights...)
		}
	}
	for _, m := range cfg.Anonymous.Mounts {
		add(m.Store, m.Prefix, configs.List, configs.Read)
	}
	return u
}

func neededBy(r configs.Right) []permission {
	switch r {
	case configs.List:
		return []permission{list}
	case configs.Read:
		return []permission{get}
	case configs.Delete:
		return []permission{discard}
	case configs.Rename:
		return []permission{get, put, discard}
	default: // write, overwrite, mkdir
		return []permission{put}
	}
}

// commonPrefix is the longest prefix of a and b that is "" or ends in "/".
func commonPrefix(a, b string) string {
	for !strings.HasPrefix(b, a) {
		a = a[:strings.LastIndexByte(strings.TrimSuffix(a, "/"), '/')+1]
	}
	return a
}

var (
	// errUntried: there was nothing to try it on.
	errUntried = errors.New("could not be tried: there is no object to read")
	// errSilent: two tries have waited for the store already.
	errSilent = errors.New("the store does not answer")
)

// judge says what became of a permission, and whether the mounts can live with it.
func judge(err error, grant string, needed bool) (verdict string, ok bool) {
	switch {
	case err == nil:
		return "ok", true
	case errors.Is(err, errUntried):
		return err.Error(), true
	case !errors.Is(err, fs.ErrPermission):
		return "failed: " + escape(err.Error()), !needed
	case !needed:
		return "denied, and no mount needs it", true
	default:
		return "denied: grant " + grant, false
	}
}

// probe tries the permissions on one store.
type probe struct {
	store    backends.Backend
	dir, key string
	left     bool // the object could not be deleted
}

func (p *probe) run(ctx context.Context) map[permission]error {
	results := p.first(ctx)
	if errors.Is(results[put], backends.ErrUnavailable) && errors.Is(results[list], backends.ErrUnavailable) {
		results[get], results[discard] = errSilent, errSilent
		return results
	}
	written := results[put] == nil
	if written {
		results[get] = bounded(ctx, p.get)
	} else {
		results[get] = bounded(ctx, p.getAny)
	}
	// To delete what is not there is refused, too, to those who may not delete.
	results[discard] = bounded(ctx, p.discard)
	p.left = written && results[discard] != nil
	return results
}

// first tries to put and to list at a time: where there is no answer, that is seen in the
// time of one.
func (p *probe) first(ctx context.Context) map[permission]error {
	listed := make(chan error, 1)
	go func() { listed <- bounded(ctx, p.list) }()
	return map[permission]error{put: bounded(ctx, p.put), list: <-listed}
}

func bounded(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return try(ctx)
}

// content is what the probe's object holds.
const content = "written by causeway check; may be deleted\n"

func (p *probe) put(ctx context.Context) error {
	u, err := p.store.Create(ctx, p.key, backends.CreateOptions{Size: int64(len(content)), ContentType: "text/plain"})
	if err != nil {
		return err
	}
	defer u.Abort() //nolint:errcheck // the first error is the one to tell
	if _, err := io.WriteString(u, content); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

func (p *probe) list(ctx context.Context) error {
	_, err := p.store.List(ctx, backends.Query{Prefix: p.dir, Limit: 1})
	return err
}

// get reads the probe's own object back. Credentials that may not know that it exists,
// though it does, may not read it.
func (p *probe) get(ctx context.Context) error {
	_, err := p.store.Stat(ctx, p.key, backends.StatOptions{Complete: true})
	if err == nil {
		err = p.read(ctx, p.key)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrPermission
	}
	return err
}

func (p *probe) read(ctx context.Context, key string) error {
	r, err := p.store.Open(ctx, key, backends.OpenOptions{Length: int64(len(content))})
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read from
	data, err := io.ReadAll(io.LimitReader(r, int64(len(content))))
	if err == nil && key == p.key && !bytes.Equal(data, []byte(content)) {
		return errors.New("what was read is not what was written")
	}
	return err
}

// getAny reads from some object of the mounts, for stores that may not be written to.
func (p *probe) getAny(ctx context.Context) error {
	page, err := p.store.List(ctx, backends.Query{Prefix: strings.TrimSuffix(p.dir, backends.Reserved+"/"), Limit: 1})
	if err != nil || len(page.Objects) == 0 {
		return errUntried
	}
	return p.read(ctx, page.Objects[0].Key)
}

// discard deletes the probe's object, and on stores that are trees its directory.
func (p *probe) discard(ctx context.Context) error {
	if err := p.store.Delete(ctx, p.key, backends.DeleteOptions{}); err != nil {
		return err
	}
	return p.store.Delete(ctx, p.dir, backends.DeleteOptions{})
}
