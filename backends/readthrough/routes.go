package readthrough

import (
	"maps"
	"slices"
	"strings"
	"time"

	"causeway/backends"
)

// table is a set of routes. It never changes.
type table struct {
	routes   map[string]Route // by prefix
	prefixes []string         // in byte order
}

func newTable(routes []Route) *table {
	t := &table{routes: make(map[string]Route, len(routes))}
	for _, route := range routes {
		t.routes[route.Prefix] = route
	}
	t.prefixes = slices.Sorted(maps.Keys(t.routes))
	return t
}

// of is the route of key, that of the longest prefix which has not ended. False if there is
// none, as for what the gateway keeps for itself.
func (r *Routes) of(key string) (Route, bool) {
	t, now := r.all.Load(), r.now()
	if len(t.routes) == 0 || reserved(key) {
		return Route{}, false
	}
	for dir := key; ; dir = dir[:len(dir)-1] {
		dir = dir[:strings.LastIndexByte(dir, '/')+1]
		if route, ok := t.routes[dir]; ok && !route.ended(now) {
			return route, true
		}
		if dir == "" {
			return Route{}, false
		}
	}
}

// below are the prefixes of the routes that begin with prefix and are longer, in byte order.
func (r *Routes) below(prefix string) []string {
	t, now := r.all.Load(), r.now()
	var found []string
	i, _ := slices.BinarySearch(t.prefixes, prefix)
	for ; i < len(t.prefixes) && strings.HasPrefix(t.prefixes[i], prefix); i++ {
		if t.prefixes[i] != prefix && !t.routes[t.prefixes[i]].ended(now) {
			found = append(found, t.prefixes[i])
		}
	}
	return found
}

// touches tells whether a route has keys that begin with prefix, or all of them.
func (r *Routes) touches(prefix string) bool {
	_, ok := r.of(prefix)
	return ok || len(r.below(prefix)) > 0
}

func (route Route) ended(now time.Time) bool {
	return !route.Until.IsZero() && !now.Before(route.Until)
}

// behind is the key in Behind of a key of the route, or what the keys there begin with.
func (route Route) behind(key string) string {
	return route.Path + key[len(route.Prefix):]
}

// here is the key of the route that key of Behind stands behind.
func (route Route) here(key string) string {
	return route.Prefix + strings.TrimPrefix(key, route.Path)
}

// reaches tells whether there may be anything behind a key of the route. A name that is too
// long for a tombstone's key is left out.
func (route Route) reaches(key string) bool {
	if !backends.ValidKey(route.behind(key)) {
		return false
	}
	for name := range strings.SplitSeq(key, "/") {
		if len(name) > maxName {
			return false
		}
	}
	return true
}

// reserved tells whether a segment of key is the gateway's own name.
func reserved(key string) bool {
	return strings.Contains("/"+key+"/", "/"+backends.Reserved+"/")
}

// split is the directory that key is in, and its name there, of a marker with the final "/".
func split(key string) (dir, name string) {
	i := strings.LastIndexByte(strings.TrimSuffix(key, "/"), '/') + 1
	return key[:i], key[i:]
}

// marker tells whether key is a directory's.
func marker(key string) bool { return strings.HasSuffix(key, "/") }
