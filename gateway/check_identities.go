package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"causeway/auth"
	"causeway/backends"
	"causeway/configs"
)

// maxChecked is how many accounts with credentials of their own are checked for a store:
// those of a template are alike.
const maxChecked = 10

// trial is a store with one who asks it, and the mounts that are asked for.
type trial struct {
	label string
	name  string // of the store
	store backends.Backend
	cfg   *configs.Config // with those mounts alone
	wall  bool            // who asks is an account, which must not see beyond them
	// upkeep is what the gateway itself does there: grants with a quota or a retention,
	// also of accounts that have credentials of their own.
	upkeep []auth.Grant
	err    error // why it cannot be asked
}

// trials are all stores, each with its own credentials and then with those of accounts, in
// the order of the stores. unchecked is how many accounts of a store are left out.
func trials(ctx context.Context, cfg *configs.Config, names []string, stores map[string]backends.Backend) (all []trial, unchecked map[string]int) {
	unchecked = map[string]int{}
	for _, name := range names {
		common := *cfg
		common.Users = slices.DeleteFunc(slices.Clone(cfg.Users), func(u configs.User) bool { return hasOwn(u, name) })
		all = append(all, trial{label: name, name: name, store: stores[name], cfg: &common, upkeep: upkeepOf(cfg, name)})
		checked := 0
		for _, u := range cfg.Users {
			switch {
			case !hasOwn(u, name) || !slices.ContainsFunc(u.Mounts, func(m configs.Mount) bool { return m.Store == name }):
			case checked == maxChecked:
				unchecked[name]++
			default:
				checked++
				all = append(all, trialOf(ctx, cfg, name, stores[name], u))
			}
		}
	}
	return all, unchecked
}

func hasOwn(u configs.User, store string) bool {
	_, own := u.Credentials[store]
	return own
}

// trialOf is a store with an account's own credentials.
func trialOf(ctx context.Context, cfg *configs.Config, name string, store backends.Backend, u configs.User) trial {
	alone := *cfg
	alone.Users, alone.Anonymous = []configs.User{u}, configs.Anonymous{}
	t := trial{label: fmt.Sprintf("%s as %s", name, escape(u.Name)), name: name, cfg: &alone, wall: true}
	as := providers()[cfg.Stores[name].Kind].as
	if as == nil {
		t.err = errors.ErrUnsupported
		return t
	}
	account := newUser(u).Account
	t.store, t.err = as(ctx, store, account.Identities[name], grantsOf(name, account.Grants))
	return t
}

// checkWall tells whether an account's credentials see more than its mounts. That is told,
// and is not a failure: the gateway's own wall stands.
func (t trial) checkWall(ctx context.Context, w io.Writer) {
	grants := grantsOf(t.name, newUser(t.cfg.Users[0]).Grants)
	if slices.ContainsFunc(grants, func(g auth.Grant) bool { return g.Prefix == "" }) {
		return
	}
	err := bounded(ctx, func(ctx context.Context) error {
		_, err := t.store.List(ctx, backends.Query{Limit: 1})
		return err
	})
	switch {
	case err == nil:
		fmt.Fprintf(w, "%-12s  %-6s  none: these credentials can list what is outside the account's mounts; cut their policy to them\n", t.label, "wall")
	case errors.Is(err, fs.ErrPermission):
		fmt.Fprintf(w, "%-12s  %-6s  ok\n", t.label, "wall")
	}
}
