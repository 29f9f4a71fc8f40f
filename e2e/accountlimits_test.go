//go:build e2e

package e2e

import (
	"net"
	"testing"
	"time"
)

// TestS44_LimitsOfAnAccount, all its sessions together, and of no other.
func TestS44_LimitsOfAnAccount(t *testing.T) {
	onEachStore(t, setup{plain4: true, limits: ", per_account: {sessions: 3, transfers: 1, file_size: 100KiB, commands_per_second: 50}"},
		func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
			s, other := connect(t, g.address(false, false)), connect(t, g.address(false, false))
			s.login(user)
			other.login(user)
			third := connect(t, g.address(false, false))
			third.login(user)
			late := connect(t, g.address(false, false))
			late.do("USER "+user, "331")
			late.do("PASS "+password, "421")
			third.do("QUIT", "221")

			running := s.transfer("STOR running")
			var data net.Conn = other.passive()
			other.do("STOR second", "450")
			_ = data.Close()
			s.write(running, content(1000))
			_ = running.Close()
			s.want("226")
			whole := content(100 << 10)
			other.store("STOR second", whole)

			data = other.passive()
			other.do("ALLO 102401", "200", "202")
			other.do("STOR third", "552")
			_ = data.Close()
			data = other.transfer("STOR third")
			_, _ = data.Write(content(100<<10 + 1)) // the refusal may come first
			_ = data.Close()
			other.want("552")
			data = other.transfer("APPE second")
			_, _ = data.Write([]byte("x"))
			_ = data.Close()
			other.want("552")
			b.holds(t, prefix+"second", whole)
			b.lacks(t, prefix+"third")

			began := time.Now()
			for range 150 {
				other.do("NOOP", "200")
			}
			if took := time.Since(began); took < 1900*time.Millisecond {
				t.Errorf("150 commands took %v at 50 a second", took)
			}
		})
}

// TestS44_Bandwidth is bounded by account and for the whole gateway, and prints what it
// measures.
func TestS44_Bandwidth(t *testing.T) {
	const rate = 2 << 20
	for name, limits := range map[string]string{
		"account": ", per_account: {upload_rate: 2MiB, download_rate: 2MiB}",
		"gateway": ", upload_rate: 2MiB, download_rate: 2MiB",
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, setup{plain4: true, limits: limits, accounts: []account{{name: "u", store: shared.buckets[0], prefix: random(4) + "/"}}})
			first, second := connect(t, g.address(false, false)), connect(t, g.address(false, false))
			first.login("u")
			second.login("u")
			data := content(3 << 20)
			both := func(do func(s *session, name string)) time.Duration {
				began := time.Now()
				done := make(chan struct{})
				go func() { defer close(done); do(first, "first") }()
				do(second, "second")
				<-done
				return time.Since(began)
			}
			check := func(way string, took time.Duration) {
				t.Logf("%s: %d octets at %d a second by two sessions: %v", way, 2*len(data), rate, took)
				// A tenth of a second's octets pass at once.
				if least := time.Duration(float64(2*len(data))/rate*float64(time.Second)) - 200*time.Millisecond; took < least {
					t.Errorf("%s took %v, less than %v", way, took, least)
				}
			}
			check("up", both(func(s *session, name string) { s.store("STOR "+name, data) }))
			check("down", both(func(s *session, name string) {
				if got := s.fetch("RETR " + name); len(got) != len(data) {
					t.Errorf("%s: %d octets", name, len(got))
				}
			}))
		})
	}
}
