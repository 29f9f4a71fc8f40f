//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"testing"
)

// budget is one operation with the number of requests that it may cost.
type budget struct {
	name   string
	after  func(s *session) // brings the cache into the state that is meant; nil leaves it cold
	do     func(s *session)
	atMost int
}

// budgets of the design: what users pay for. Each runs in a fresh gateway, so that
// nothing is cached but by after. The store holds dir/000.bin … dir/049.bin.
var budgets = []budget{
	{"STOR of a new small file", nil, func(s *session) { s.store("STOR dir/new.bin", content(1000)) }, 1},
	{"STOR over an existing file", nil, func(s *session) { s.store("STOR dir/000.bin", content(1000)) }, 1},
	{"STOR after LIST", list, func(s *session) { s.store("STOR dir/newer.bin", content(1000)) }, 1},
	{"RETR", nil, func(s *session) { s.fetch("RETR dir/001.bin") }, 1},
	{"RETR after LIST", list, func(s *session) { s.fetch("RETR dir/001.bin") }, 1},
	{"LIST of 50 names", nil, list, 1},
	{"LIST again", list, list, 0},
	{"MLSD after LIST", list, func(s *session) { s.fetch("MLSD dir") }, 0},
	{"LIST of 1500 names", nil, func(s *session) { s.fetch("LIST big") }, 2},
	{"CWD", nil, func(s *session) { s.do("CWD dir", "250") }, 1},
	{"CWD after LIST", list, func(s *session) { s.do("CWD dir", "250") }, 0},
	{"SIZE", nil, func(s *session) { s.do("SIZE dir/002.bin", "213") }, 1},
	{"SIZE after LIST", list, func(s *session) { s.do("SIZE dir/002.bin", "213") }, 0},
	{"MDTM", nil, func(s *session) { s.do("MDTM dir/002.bin", "213") }, 1},
	{"MDTM after LIST", list, func(s *session) { s.do("MDTM dir/002.bin", "213") }, 1},
	{"DELE", nil, func(s *session) { s.do("DELE dir/003.bin", "250") }, 3},
	{"DELE after LIST", list, func(s *session) { s.do("DELE dir/004.bin", "250") }, 2},
	{"DELE of the last file of a directory", nil, func(s *session) { s.do("DELE single/last.bin", "250") }, 4},
	{"STOR x.tmp, RNFR, RNTO", nil, func(s *session) {
		s.store("STOR dir/x.tmp", content(1000))
		s.do("RNFR dir/x.tmp", "350")
		s.do("RNTO dir/x.bin", "250")
	}, 4},
}

func list(s *session) { s.fetch("LIST dir") }

// TestRequestBudget counts what each operation asks of a real S3 server.
func TestRequestBudget(t *testing.T) {
	proxy := newCountingProxy(t, shared.servers.S3)
	b := proxied(proxy)
	prefix := random(4) + "/"
	fill(t, b, prefix)
	for _, budget := range budgets {
		t.Run(budget.name, func(t *testing.T) {
			g := start(t, setup{plain4: true, extra: "cache: {ttl: 60s}\n", accounts: []account{{name: user, store: b, prefix: prefix}}})
			s := connect(t, g.address(false, false))
			s.login(user)
			// What is parked in a store is asked for once in half a minute, for all clients.
			s.do("SIZE no/such.file", "550")
			if budget.after != nil {
				budget.after(s)
			}
			proxy.take()
			budget.do(s)
			if counts, sum := proxy.take(); sum > budget.atMost {
				t.Errorf("%d requests (%s), at most %d allowed", sum, counts, budget.atMost)
			} else {
				t.Logf("%d of %d requests (%s)", sum, budget.atMost, counts)
			}
		})
	}
}

// fill writes what the budgets work on, straight into the store.
func fill(t testing.TB, b *namedBucket, prefix string) {
	t.Helper()
	keys := []string{"single/last.bin"}
	for i := range 50 {
		keys = append(keys, fmt.Sprintf("dir/%03d.bin", i))
	}
	for i := range 1500 {
		keys = append(keys, fmt.Sprintf("big/%04d.bin", i))
	}
	for _, key := range keys {
		if err := bucketOf("s3").write(t.Context(), prefix+key, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
}

// A login asks nothing of the store and opens no connection to it: clients and
// credentials belong to the store, not to the session.
func TestLoginsCostTheStoreNothing(t *testing.T) {
	proxy := newCountingProxy(t, shared.servers.S3)
	b := proxied(proxy)
	g := start(t, setup{plain4: true, accounts: []account{{name: user, store: b, prefix: random(4) + "/"}}})
	first := connect(t, g.address(false, false))
	first.login(user)
	first.fetch("LIST") // the store's first connection
	proxy.take()
	connections := proxy.connections()
	for range 200 {
		s := connect(t, g.address(false, false))
		s.login(user)
		s.do("PWD", "257")
		s.do("QUIT", "221")
	}
	if counts, sum := proxy.take(); sum != 0 {
		t.Errorf("200 logins cost %s", counts)
	}
	if opened := proxy.connections() - connections; opened != 0 {
		t.Errorf("200 logins open %d connections to the store", opened)
	}
}

// 1500 names cross the store's page of 1000: none is lost or doubled there.
func TestS22_ListingCrossesPages(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		var want bytes.Buffer
		for i := range 1200 {
			name := fmt.Sprintf("%04d.bin", i)
			fmt.Fprintf(&want, "%s\r\n", name)
			if err := b.write(t.Context(), prefix+"many/"+name, nil); err != nil {
				t.Fatal(err)
			}
		}
		s := connect(t, g.address(false, false))
		s.login(user)
		s.do("CWD many", "250")
		if got := s.fetch("NLST"); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("NLST lists %d octets, want %d", len(got), want.Len())
		}
	})
}
