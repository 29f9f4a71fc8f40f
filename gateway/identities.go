package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"causeway/auth"
	"causeway/backends"
	"causeway/cache"
	"causeway/configs"
)

// maxWays is how many ways to stores are kept, for as many accounts with credentials of
// their own. One takes some tens of kilobytes, and no connection: those are shared.
const maxWays = 1000

// identities are the ways to stores for accounts that have credentials of their own. Each
// account has one way to each of its stores, whatever its sessions are.
type identities struct {
	kinds   map[string]configs.Kind // of the stores
	opened  map[string]backends.Backend
	shown   map[string]backends.Backend // the same behind the cache
	metrics *metrics                    // nil for none

	mu   sync.Mutex
	ways *simplelru.LRU[way, backends.Backend]
}

// way says what no other account may use.
type way struct {
	store    string
	identity auth.Identity
	reach    string // what the store's provider makes of the mounts
}

func newIdentities(cfg *configs.Config, opened, shown map[string]backends.Backend, m *metrics) *identities {
	kinds := make(map[string]configs.Kind, len(cfg.Stores))
	for name, store := range cfg.Stores {
		kinds[name] = store.Kind
	}
	// It fails only for a size below 1. Who is still in a session by a way that is let go
	// keeps it, without a memory.
	ways, _ := simplelru.NewLRU(maxWays, func(_ way, b backends.Backend) {
		if memory, ok := b.(*cache.Backend); ok {
			memory.Leave()
		}
	})
	return &identities{kinds: kinds, opened: opened, shown: shown, metrics: m, ways: ways}
}

// store is the way of an account to a store.
func (i *identities) store(ctx context.Context, name string, account *auth.Account) (backends.Backend, error) {
	id, own := account.Identities[name]
	if !own {
		return i.shown[name], nil
	}
	as := providers()[i.kinds[name]].as
	if as == nil {
		return nil, fmt.Errorf("store %s: takes no credentials of accounts", name)
	}
	w := way{store: name, identity: id, reach: reachOf(name, account.Grants)}
	i.mu.Lock()
	defer i.mu.Unlock()
	if b, known := i.ways.Get(w); known {
		return b, nil
	}
	b, err := as(ctx, i.opened[name], id, grantsOf(name, account.Grants))
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", name, err)
	}
	b = i.metrics.meterOne(name, b)
	if memory, ok := i.shown[name].(*cache.Backend); ok {
		b = memory.Through(b)
	}
	i.ways.Add(w, b)
	return b, nil
}

// grantsOf are those of a store.
func grantsOf(store string, all []auth.Grant) []auth.Grant {
	var grants []auth.Grant
	for _, g := range all {
		if g.Store == store {
			grants = append(grants, g)
		}
	}
	return grants
}

// reachOf is a text of what an account may do in a store.
func reachOf(store string, all []auth.Grant) string {
	text := ""
	for _, g := range grantsOf(store, all) {
		text += fmt.Sprintf("%d %q ", g.Rights, g.Prefix)
	}
	return text
}

// identitiesOf are the credentials of a user as they are configured.
func identitiesOf(u configs.User) map[string]auth.Identity {
	if len(u.Credentials) == 0 {
		return nil
	}
	all := make(map[string]auth.Identity, len(u.Credentials))
	for store, c := range u.Credentials {
		if role := c.AssumeRole; role.RoleARN != "" {
			all[store] = auth.Identity{Role: auth.Role{
				ARN: role.RoleARN, Endpoint: role.Endpoint, ExternalID: role.ExternalID.Reveal(), Session: role.SessionNameOf(u.Name),
			}}
			continue
		}
		all[store] = auth.Identity{
			AccessKey: c.AccessKey.Reveal(), SecretKey: c.SecretKey.Reveal(), CredentialsFile: c.CredentialsFile, SASToken: c.SASToken.Reveal(),
		}
	}
	return all
}

// judgeIdentities finds roles that accounts cannot have sessions of.
func judgeIdentities(cfg *configs.Config, at problems, users []configs.User) error {
	for i, u := range users {
		made := newUser(u)
		for _, name := range slices.Sorted(maps.Keys(u.Credentials)) {
			id, store := made.Identities[name], cfg.Stores[name]
			judge := providers()[store.Kind].judge
			if id.Role.ARN == "" || judge == nil {
				continue
			}
			if err := judge(store, id, grantsOf(name, made.Grants)); err != nil {
				return at.Problem(fmt.Sprintf("users[%d].credentials.%s.assume_role", i, name), err.Error(),
					"give the account fewer mounts or plainer prefixes, or keys of its own")
			}
		}
	}
	return nil
}
