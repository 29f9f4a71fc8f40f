//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
)

// kill is a way for a client to vanish in the middle of STOR.
type kill struct {
	name string
	do   func(s *session, data net.Conn)
}

var kills = []kill{
	// The kernel of a killed process closes its sockets: in order, but at once.
	{"both connections end", func(s *session, data net.Conn) {
		_ = rawOf(data).Close()
		_ = s.raw.Close()
	}},
	{"control ends first", func(s *session, data net.Conn) {
		_ = s.raw.Close()
		_ = rawOf(data).Close()
	}},
	{"control ends and data stays", func(s *session, _ net.Conn) { _ = s.raw.Close() }},
	{"data is reset", func(_ *session, data net.Conn) {
		_ = rawOf(data).SetLinger(0)
		_ = rawOf(data).Close()
	}},
	{"aborted", func(s *session, _ net.Conn) {
		s.send("ABOR")
		s.want("426")
		s.want("226", "225")
	}},
}

func rawOf(conn net.Conn) *net.TCPConn {
	if secured, ok := conn.(*tls.Conn); ok {
		return secured.NetConn().(*net.TCPConn)
	}
	return conn.(*net.TCPConn)
}

// S11, S12, S17: a cut-off upload never appears, never replaces, and leaves
// nothing to pay for, whether it still fits one buffer or is in parts already.
func TestS11_KilledClientLeavesNothing(t *testing.T) {
	sizes := map[string]int{"small": 100_000, "in parts": 20 << 20}
	for size, octets := range sizes {
		for i, k := range kills {
			if size != "small" && i != 0 && k.name != "aborted" {
				continue // the judgement is the same; what must be undone is not
			}
			for _, secure := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/tls=%t", size, k.name, secure), func(t *testing.T) {
					t.Parallel()
					onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
						old := content(10)
						if err := b.write(t.Context(), prefix+"kept.bin", old); err != nil {
							t.Fatal(err)
						}
						for _, name := range []string{"fresh.bin", "kept.bin"} {
							s := connect(t, g.address(false, false))
							if secure {
								s.secure(shared.cert.clientTLS())
							}
							s.login(user)
							conn := s.transfer("STOR " + name)
							s.write(conn, content(octets))
							k.do(s, conn)
							g.awaitEnd(t, "/"+name)
						}
						b.lacks(t, prefix+"fresh.bin")
						b.holds(t, prefix+"kept.bin", old)
						b.leavesNothing(t, prefix)
					})
				})
			}
		}
	}
}

// awaitEnd waits until the gateway has logged the end of an upload to the path.
func (g *gateway) awaitEnd(t testing.TB, path string) {
	t.Helper()
	_, err := g.log.await(func(r record) bool {
		return r.text("path") == path && r.text("verb") == "STOR" && r["code"] != nil
	}, 0, g.exited)
	if err != nil {
		t.Fatalf("end of STOR %s: %v", path, err)
	}
}

// leavesNothing waits until no upload of the prefix is pending.
func (b *namedBucket) leavesNothing(t testing.TB, prefix string) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		pending, err := b.pending(t.Context())
		if err != nil {
			return err
		}
		for _, key := range pending {
			if len(key) >= len(prefix) && key[:len(prefix)] == prefix {
				return fmt.Errorf("%s still has begun uploads: %q", b.kind, pending)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The same with a real client that is really killed.
func TestS11_KilledCurl(t *testing.T) {
	onEachStore(t, setup{}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		for _, mode := range []mode{{tls: "plain"}, {tls: "explicit"}, {tls: "implicit"}} {
			t.Run(mode.String(), func(t *testing.T) {
				site, err := newSite(g.address(false, mode.tls == "implicit"), mode, user, filepath.Join(t.TempDir(), "home"))
				if err != nil {
					t.Fatal(err)
				}
				name := mode.tls + ".bin"
				// Standard input that never ends: only the kill ends the transfer.
				argv := curl{}.args(site, "-T", "-", curl{}.url(site, "/"+name)).argv
				cmd := exec.Command(argv[0], argv[1:]...)
				stdin, err := cmd.StdinPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				// More than the pipe and curl's buffer hold: what was accepted is under way.
				if _, err := stdin.Write(content(8 << 20)); err != nil {
					t.Error(err)
				}
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
				_ = cmd.Wait() // it was killed
				g.awaitEnd(t, "/"+name)
				b.lacks(t, prefix+name)
				b.leavesNothing(t, prefix)
			})
		}
	})
}

// S10: until commit, readers see what was there before.
func TestS10_UploadInvisibleUntilItEnds(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		old, data := content(10), content(20<<20)
		if err := b.write(t.Context(), prefix+"kept.bin", old); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"fresh.bin", "kept.bin"} {
			s := connect(t, g.address(false, false))
			s.login(user)
			conn := s.transfer("STOR " + name)
			s.write(conn, data)
			if name == "fresh.bin" {
				b.lacks(t, prefix+name)
			} else {
				b.holds(t, prefix+name, old)
			}
			_ = conn.Close()
			s.want("226")
			b.holds(t, prefix+name, data)
		}
	})
}
