package readthrough_test

import (
	"context"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/backends/readthrough"
)

// everything is a route that all keys have.
func everything(behind backends.Backend) []readthrough.Route {
	return []readthrough.Route{{Behind: behind, CopyOnRead: true}}
}

// over is a front with routes.
func over(front backends.Backend, routes ...readthrough.Route) readthrough.Backend {
	r := readthrough.NewRoutes(front, readthrough.Options{})
	r.Replace(routes)
	return r.Over(front)
}

// TestConformanceMem: with nothing behind, in behind's place another store, and no route at all,
// the decorator keeps the contract as the store in front does.
func TestConformanceMem(t *testing.T) {
	for name, routes := range map[string]func() []readthrough.Route{
		"no route": func() []readthrough.Route { return nil },
		"route":    func() []readthrough.Route { return everything(mem.New(mem.Options{})) },
		"nested": func() []readthrough.Route {
			return append(everything(mem.New(mem.Options{})), readthrough.Route{Prefix: "d/c/", Behind: mem.New(mem.Options{}), Path: "x/"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var store *mem.Store // of the case that is running
			var behind []readthrough.Route
			backendtest.Run(t, func(*testing.T) backends.Backend {
				store, behind = mem.New(mem.Options{}), routes()
				return over(store, behind...)
			}, backendtest.Features{
				Leftovers:    func(context.Context, backends.Backend) ([]string, error) { return store.Uploads(), nil },
				CutsAnywhere: true, ObjectCuts: true, Crash: true,
				Reopen: func(*testing.T, backends.Backend) backends.Backend { return over(store.Reopen(), behind...) },
			})
		})
	}
}
