//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// nowhere is a store of each kind whose server does not answer.
func nowhere(t testing.TB) []*namedBucket {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	s3 := s3Bucket{name: canary + "-none"}
	azure := strings.Replace(bucketOf("azure").config, shared.servers.Azure, closed+"/devstoreaccount1", 1)
	gcs := fmt.Sprintf("{kind: gcs, bucket: %s-none, endpoint: %q}", canary, closed)
	return []*namedBucket{{kind: "s3", config: s3.config(closed)}, {kind: "gcs", config: gcs}, {kind: "azure", config: azure}}
}

// TestS52_CheckNamesTheStore checks that `check` prints a line for each store and fails
// when one does not work.
func TestS52_CheckNamesTheStore(t *testing.T) {
	t.Parallel() // with TestStoreDown: both do nothing but wait for retries
	var working []account
	for _, b := range shared.buckets {
		working = append(working, account{name: b.kind, store: b, prefix: "check/"})
	}
	o := causeway(t, "", "check", "-c", setup{accounts: working}.config(t))
	if o.code != 0 {
		t.Errorf("check of working stores: %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	o.says(t, "store0", "store1", "store2", "store3")
	for _, b := range shared.buckets {
		keys, err := b.keys(t.Context(), "check/")
		if err != nil || len(keys) > 1 { // a directory may have a marker
			t.Errorf("check leaves behind in %s: %q %v", b.kind, keys, err)
		}
	}
	for _, b := range nowhere(t) {
		t.Run(b.kind, func(t *testing.T) {
			t.Parallel()
			o := causeway(t, "", "check", "-c", setup{accounts: []account{{name: user, store: b}}}.config(t))
			if o.code != 1 {
				t.Errorf("exit code %d", o.code)
			}
			o.says(t, "store0")
			if lines := strings.Count(o.stdout+o.stderr, "\n"); lines > 12 {
				t.Errorf("%d lines where a few would do:\n%s%s", lines, o.stdout, o.stderr)
			}
		})
	}
}

// While a store is down, clients hear that it may work later, and nothing else: not where
// the store is, nor what it is called.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	for _, b := range nowhere(t) {
		t.Run(b.kind, func(t *testing.T) {
			t.Parallel()
			g := start(t, setup{plain4: true, accounts: []account{{name: user, store: b}}})
			s := connect(t, g.address(false, false))
			s.login(user)
			// Each command waits for all tries of the store, and may have its own time.
			do := func(command string, codes ...string) string {
				_ = s.conn.SetDeadline(time.Now().Add(patience))
				return s.do(command, codes...).code
			}
			for _, command := range []string{"SIZE x", "CWD x", "DELE x", "MKD x"} {
				do(command, "450")
			}
			data := s.passive()
			if do("RETR x", "450", "150") == "150" {
				s.want("451")
			}
			_ = data.Close()
			data = s.passive()
			if do("LIST", "451", "150") == "150" {
				s.want("451")
			}
			_ = data.Close()
			conn := s.passive()
			if do("STOR x", "450", "150") == "150" {
				s.write(conn, content(1000))
				_ = conn.Close()
				s.want("451", "450")
			}
			s.do("NOOP", "200")
		})
	}
}

// A store that goes away and comes back: the session goes on, and so does the gateway.
func TestStoreComesBack(t *testing.T) {
	proxy := newCountingProxy(t, shared.servers.S3)
	b := proxied(proxy)
	prefix := random(4) + "/"
	g := start(t, setup{plain4: true, extra: "cache: {ttl: 0s}\n", accounts: []account{{name: user, store: b, prefix: prefix}}})
	s := connect(t, g.address(false, false))
	s.login(user)
	data := content(1000)
	s.store("STOR a.bin", data)
	proxy.fail(true)
	s.do("SIZE a.bin", "450")
	conn := s.passive()
	if r := s.do("STOR b.bin", "450", "150"); r.code == "150" {
		s.write(conn, data)
		_ = conn.Close()
		s.want("451", "450")
	}
	b.lacks(t, prefix+"b.bin")
	proxy.fail(false)
	s.do("SIZE a.bin", "213")
	s.store("STOR b.bin", data)
	b.holds(t, prefix+"b.bin", data)
}

// Names that no key can have are refused, and the session stays in step.
func TestS1_AwkwardNames(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		for _, name := range []string{
			"nul\x00name", "carriage\r\x00return", "not-utf8-\xe4\xf6", "overlong-\xc0\xaf", ".causeway/x", "a/.causeway/x", strings.Repeat("n", 2000),
		} {
			_ = s.passive()
			s.do("STOR "+name, "553", "501")
			s.do("NOOP", "200")
		}
		data := content(100)
		s.store("STOR ../../up//./x/../y.bin", data)
		b.holds(t, prefix+"up/y.bin", data)
		keys, err := b.keys(t.Context(), prefix)
		keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasSuffix(key, "/") })
		if err != nil || !slices.Equal(keys, []string{prefix + "up/y.bin"}) {
			t.Errorf("the store has %q, %v", keys, err)
		}
	})
}
