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
	dir   string // ends in "/"; the probe's object is directly below
	tries []permission
	needs map[permission]bool // what the mounts there need
}

// targetsOf are the prefixes of a store that are mounted, a sample of them if there are
// many; all is how many there are. Where parts is not "", the parts of larger uploads go
// to objects there, and it is a target if anything may be stored. What the gateway itself
// does, for quotas and retention, it needs as the mounts do.
func targetsOf(cfg *configs.Config, store, parts string, upkeep []auth.Grant) (targets []target, all int) {
	needs := needsOf(cfg, store, upkeep)
	prefixes := slices.Sorted(maps.Keys(needs))
	all = len(prefixes)
	for i := range min(all, maxTargets) {
		prefix := prefixes[i*all/min(all, maxTargets)]
		targets = append(targets, target{prefix + backends.Reserved + "/", permissions(), needs[prefix]})
	}
	stores := slices.ContainsFunc(prefixes, func(prefix string) bool { return needs[prefix][put] })
	if parts != "" && stores {
		uses := map[permission]bool{put: true, get: true, discard: true}
		targets = append(targets, target{parts, []permission{put, get, discard}, uses})
		all++
	}
	return targets, all
}

// needsOf collects the mounts of a store by their prefixes. One that has none is tried at
// its root.
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
		need(g.Prefix, list) // to count, or to find what is old
		if g.Retention.Days == 0 || g.Retention.DryRun {
			continue
		}
		need(g.Prefix, discard)
		if g.Retention.To != "" {
			need(g.Prefix, get)
			need(g.Retention.To, put)
		}
	}
	if len(needs) == 0 {
		need("")
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
