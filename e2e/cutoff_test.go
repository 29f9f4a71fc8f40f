//go:build e2e

package e2e

import (
	"crypto/tls"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// kill is a way for a client to vanish in the middle of STOR.
type kill struct {
	name string
	do   func(s *session, data net.Conn)
}

var kills = []kill{
	{"process is killed", (*session).dieWith},
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

// dieWith hands both connections to a process and kills it. The kernel then ends data first
// and control within microseconds, which two calls of Close cannot promise on a busy machine.
func (s *session) dieWith(data net.Conn) {
	s.t.Helper()
	holder := exec.Command("sleep", "3600")
	for _, conn := range []*net.TCPConn{rawOf(data), s.raw} {
		file, err := conn.File()
		if err != nil {
			s.fatalf("%v", err)
		}
		holder.ExtraFiles = append(holder.ExtraFiles, file)
	}
	if err := holder.Start(); err != nil {
		s.fatalf("%v", err)
	}
	for _, file := range holder.ExtraFiles {
		_ = file.Close()
	}
	_, _ = rawOf(data).Close(), s.raw.Close()
	if err := holder.Process.Kill(); err != nil {
		s.fatalf("%v", err)
	}
	_ = holder.Wait() // it was killed
}

func rawOf(conn net.Conn) *net.TCPConn {
	if secured, ok := conn.(*tls.Conn); ok {
		return secured.NetConn().(*net.TCPConn)
	}
	return conn.(*net.TCPConn)
}

// discarding is how a mount keeps nothing of what was cut off.
const discarding = ", incomplete: discard"

// S11, S12, S17: a cut-off upload never appears, never replaces, and, where it is to be
// discarded, leaves nothing to pay for, whether it still fits one buffer or is in parts
// already. The kill matrix is about those that are parked.
func TestS11_S12_S17_X9_KilledClientLeavesNothing(t *testing.T) {
	sizes := map[string]int{"small": 100_000, "in parts": 20 << 20}
	for size, octets := range sizes {
		for i, k := range kills {
			if size != "small" && i != 0 && k.name != "aborted" {
				continue // the judgement is the same; what must be undone is not
			}
			for _, secure := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/tls=%t", size, k.name, secure), func(t *testing.T) {
					t.Parallel()
					onEachFreshBucket(t, setup{plain4: true, mount: discarding}, func(t *testing.T, g *gateway, b *namedBucket, user string) {
						old := content(10)
						if err := b.write(t.Context(), "kept.bin", old); err != nil {
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
							if size == "in parts" {
								b.awaitBegun(t)
							}
							k.do(s, conn)
							g.awaitEnd(t, "/"+name)
						}
						b.holds(t, "kept.bin", old)
						b.leavesNothing(t, "kept.bin")
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

// awaitBegun waits until something of an upload is in the store. Without it, nothing would
// be left even by a gateway that forgets to clean up.
func (b *namedBucket) awaitBegun(t testing.TB) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		begun, err := b.begun(t.Context())
		if err == nil && len(begun) == 0 {
			err = fmt.Errorf("nothing of the upload reaches %s", b.kind)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// leavesNothing waits until the bucket holds these keys and nothing else, seen or unseen.
//
// Azure has no request that ends uncommitted blocks: the service drops them after seven
// days. So S17 promises there that they are all that is left.
func (b *namedBucket) leavesNothing(t testing.TB, want ...string) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		begun, err := b.begun(t.Context())
		if err != nil {
			return err
		}
		if b.kind != "azure" && len(begun) > 0 {
			return fmt.Errorf("%s still has begun uploads: %q", b.kind, begun)
		}
		keys, err := b.keys(t.Context(), "")
		if err == nil && !slices.Equal(keys, want) {
			err = fmt.Errorf("%s has %q, want %q", b.kind, keys, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The same with a real client that is really killed.
func TestS11_S12_S17_KilledCurl(t *testing.T) {
	onEachFreshBucket(t, setup{mount: discarding}, func(t *testing.T, g *gateway, b *namedBucket, user string) {
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
				// More than the largest first part of a store: it must be cleaned up.
				if _, err := stdin.Write(content(20 << 20)); err != nil {
					t.Error(err)
				}
				b.awaitBegun(t)
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
				_ = cmd.Wait() // it was killed
				g.awaitEnd(t, "/"+name)
				b.leavesNothing(t)
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

// A client that asked for PROT P and then sends in clear is refused, and nothing of what it
// sent becomes an object.
func TestClearDataUnderPrivateProtection(t *testing.T) {
	onEachFreshBucket(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user string) {
		s := connect(t, g.address(false, false))
		s.secure(shared.cert.clientTLS())
		s.login(user)
		conn := s.passive()
		s.do("STOR clear.bin", "150", "125")
		s.write(conn, content(1000))
		_ = conn.Close()
		s.want("522")
		s.do("NOOP", "200")
		b.leavesNothing(t)
	})
}
