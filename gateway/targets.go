package gateway

import (
	"maps"
	"slices"

	"causeway/auth"
	"causeway/backends"
	"causeway/configs"
)

// maxTargets is below how many prefixes of a store `causeway check` tries: enough to see
// credentials that fit some mounts only, quick also with a prefix for each of many users.
const maxTargets = 10

// target is a place in a store where its credentials are tried.
type target struct {
	dir   string              // ends in "/"; the probe's object is directly below
	tries []permission        // without put only what changes nothing
	needs map[permission]bool // what the mounts there need
}

// targetsOf are the prefixes of a store that are mounted, a sample of them if there are
// many; all is how many there are. Where parts is not "", the parts of larger uploads go
// to objects there, and it is a target if anything may be stored. What the gateway itself
// does, for quotas, retention and what is behind mounts, it needs as the mounts do.
func targetsOf(cfg *configs.Config, store, parts string, upkeep []auth.Grant) (targets []target, all int) {
	needs, reads := needsOf(cfg, store, upkeep), needsBehind(store, upkeep)
	for prefix, perms := range reads {
		if needs[prefix] != nil || perms[put] {
			needs[prefix] = union(needs[prefix], perms)
			delete(reads, prefix)
		}
	}
	if len(needs)+len(reads) == 0 {
		needs[""] = map[permission]bool{}
	}
	for _, prefix := range sample(needs) {
		targets = append(targets, target{prefix + backends.Reserved + "/", permissions(), needs[prefix]})
	}
	for _, prefix := range sample(reads) {
		targets = append(targets, target{prefix, []permission{list, get}, reads[prefix]})
	}
	all = len(needs) + len(reads)
	stores := false
	for _, perms := range needs {
		stores = stores || perms[put]
	}
	own := func(dir string, tries ...permission) {
		uses := map[permission]bool{}
		for _, perm := range tries {
			uses[perm] = true
		}
		targets = append(targets, target{dir, tries, uses})
		all++
	}
	if slices.ContainsFunc(upkeep, func(g auth.Grant) bool { return g.Store == store && g.Behind.Store != "" }) {
		own(backends.Reserved+"/gone/", permissions()...)
	}
	if slices.ContainsFunc(upkeep, func(g auth.Grant) bool { return g.Store == store && g.Behind.Mirror }) {
		own(backends.Reserved+"/mirror/", permissions()...)
	}
	if parts != "" && stores {
		own(parts, put, get, discard)
	}
	return targets, all
}

// sample are some of the prefixes.
func sample(needs map[string]map[permission]bool) []string {
	prefixes := slices.Sorted(maps.Keys(needs))
	all := len(prefixes)
	some := make([]string, min(all, maxTargets))
	for i := range some {
		some[i] = prefixes[i*all/len(some)]
	}
	return some
}

func union(a, b map[permission]bool) map[permission]bool {
	both := map[permission]bool{}
	maps.Copy(both, a)
	maps.Copy(both, b)
	return both
}

// needsOf collects the mounts of a store by their prefixes.
func needsOf(cfg *configs.Config, store string, upkeep []auth.Grant) map[string]map[permission]bool {
	needs := map[string]map[permission]bool{}
	need := func(prefix string, perms ...permission) {
		if needs[prefix] == nil {
			needs[prefix] = map[permission]bool{}
		}
		for _, perm := range perms {
			needs[prefix][perm] = true
		}
	}
	add := func(name, prefix string, rights ...configs.Right) {
		if name != store {
			return
		}
		need(prefix)
		for _, r := range rights {
			need(prefix, neededBy(r)...)
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
	for _, g := range upkeep {
		if g.Store == store {
			need(g.Prefix, ownNeeds(g)...)
			if g.Retention.To != "" && !g.Retention.DryRun {
				need(g.Retention.To, put)
			}
		}
	}
	return needs
}

// needsBehind is what the store is needed for by mounts that it is behind.
func needsBehind(store string, upkeep []auth.Grant) map[string]map[permission]bool {
	needs := map[string]map[permission]bool{}
	for _, g := range upkeep {
		if g.Behind.Store != store {
			continue
		}
		uses := map[permission]bool{list: true, get: true}
		if g.Behind.Mirror {
			uses[put], uses[discard] = true, true
		}
		needs[g.Behind.Prefix] = union(needs[g.Behind.Prefix], uses)
	}
	return needs
}

// ownNeeds are what the gateway itself does below the prefix of a grant.
func ownNeeds(g auth.Grant) []permission {
	needs := []permission{list} // to count, to find what is old, and beside what is behind
	if g.Retention.Days > 0 && !g.Retention.DryRun {
		needs = append(needs, discard)
		if g.Retention.To != "" {
			needs = append(needs, get)
		}
	}
	if g.Behind.CopyOnRead {
		needs = append(needs, put)
	}
	if g.Behind.Mirror {
		needs = append(needs, get)
	}
	return needs
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
