//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
)

// writers is how many clients store one name at a time.
const writers = 16

// mark is a content that tells its writer, wherever one looks.
func mark(writer, size int) []byte { return bytes.Repeat([]byte{byte(writer + 1)}, size) }

// race has all writers store one name: all data is sent before the first of them ends. It
// returns their replies.
func race(t *testing.T, g *gateway, user, name string, size int) []reply {
	t.Helper()
	var sessions []*session
	var data []net.Conn
	for i := range writers {
		s := connect(t, g.address(false, false))
		s.login(user)
		conn := s.passive()
		s.do("STOR "+name, "150")
		s.write(conn, mark(i, size))
		sessions, data = append(sessions, s), append(data, conn)
	}
	for _, conn := range data {
		_ = conn.Close()
	}
	var replies []reply
	for _, s := range sessions {
		replies = append(replies, s.want("226", "45", "55"))
	}
	return replies
}

// wholes reads the keys and fails unless each holds what one of the writers has sent.
func (b *namedBucket) wholes(t *testing.T, prefix string, size int) (keys []string, by []int) {
	t.Helper()
	keys, err := b.keys(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasSuffix(key, "/") })
	for _, key := range keys {
		p, err := b.read(t.Context(), key)
		if err != nil || len(p) != size || !bytes.Equal(p, bytes.Repeat(p[:1], size)) {
			t.Fatalf("%s holds %d octets under %q that nobody has sent: %v", b.kind, len(p), key, err)
		}
		by = append(by, int(p[0])-1)
	}
	return keys, by
}

func TestS15_X11_LastCommitWinsWhole(t *testing.T) {
	t.Parallel()
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		replies := race(t, g, user, "one/x.bin", 100_000)
		for i, r := range replies {
			if r.code != "226" {
				t.Errorf("writer %d: %s", i, r)
			}
		}
		if keys, _ := b.wholes(t, prefix+"one/", 100_000); len(keys) != 1 {
			t.Errorf("%s has %q", b.kind, keys)
		}
	})
}

func TestS15_SecondWriterIsRefused(t *testing.T) {
	t.Parallel()
	s := setup{plain4: true, mount: ", concurrent_uploads: refuse"}
	onEachStore(t, s, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		first, second := connect(t, g.address(false, false)), connect(t, g.address(false, false))
		first.login(user)
		second.login(user)
		conn := first.transfer("STOR x.bin")
		first.write(conn, mark(0, 1000))
		_ = second.passive()
		second.do("STOR x.bin", "450")
		_ = conn.Close()
		first.want("226")
		second.store("STOR x.bin", mark(1, 500))
		b.holds(t, prefix+"x.bin", mark(1, 500))
	})
}

func TestS16_RefuseRaced(t *testing.T) {
	t.Parallel()
	s := setup{plain4: true, mount: ", overwrite_policy: refuse"}
	onEachStore(t, s, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		winner, stored := -1, 0
		for i, r := range race(t, g, user, "one/x.bin", 100_000) {
			if r.code == "226" {
				winner = i
				stored++
			}
		}
		keys, by := b.wholes(t, prefix+"one/", 100_000)
		if stored != 1 || len(keys) != 1 || by[0] != winner {
			t.Errorf("%d were told 226, the last is %d; %s has %q of %d", stored, winner, b.kind, keys, by)
		}
		late := connect(t, g.address(false, false))
		late.login(user)
		_ = late.passive()
		late.do("STOR one/x.bin", "553")
	})
}

func TestS16_KeepBothRaced(t *testing.T) {
	t.Parallel()
	s := setup{plain4: true, mount: ", overwrite_policy: keep_both"}
	onEachStore(t, s, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		replies := race(t, g, user, "one/x.bin", 100_000)
		keys, by := b.wholes(t, prefix+"one/", 100_000)
		slices.Sort(by)
		if len(slices.Compact(by)) != writers || len(keys) != writers {
			t.Errorf("%s has %d files of %d writers", b.kind, len(keys), writers)
		}
		for i, r := range replies {
			if r.code != "226" {
				t.Errorf("writer %d: %s", i, r)
			}
		}
		if !slices.Contains(keys, prefix+"one/x.bin") {
			t.Errorf("nobody got the name itself: %q", keys)
		}
	})
}

func TestS18_SizesAroundParts(t *testing.T) {
	t.Parallel()
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		for _, size := range []int{0, 1, 8<<20 - 1, 8 << 20, 8<<20 + 1, 16 << 20, 16<<20 + 1, 40<<20 + 7} {
			name := fmt.Sprintf("size-%d.bin", size)
			data := content(size)
			s.store("STOR "+name, data)
			s.do("SIZE "+name, "213")
			b.holds(t, prefix+name, data)
			if got := s.fetch("RETR " + name); !bytes.Equal(got, data) {
				t.Errorf("%s: RETR of %d octets gives %d others", b.kind, size, len(got))
			}
			s.do("DELE "+name, "250")
		}
	})
}

// S20: a file that is replaced while it is read comes from one version, or does not end well.
func TestS20_ReplacedWhileRead(t *testing.T) {
	t.Parallel()
	const size = 24 << 20
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, _ string) {
		s, other := connect(t, g.address(false, false)), connect(t, g.address(false, false))
		s.login(user)
		other.login(user)
		s.store("STOR x.bin", mark(0, size))
		conn := s.transfer("RETR x.bin")
		first := make([]byte, 1<<20)
		if _, err := io.ReadFull(conn, first); err != nil {
			t.Fatal(err)
		}
		other.store("STOR x.bin", mark(1, size))
		rest, err := io.ReadAll(conn)
		_ = conn.Close()
		r := s.want("226", "426", "451")
		got := append(first, rest...)
		if !bytes.Equal(got, mark(0, len(got))) {
			t.Errorf("%s: a mix of versions", b.kind)
		}
		if whole := err == nil && len(got) == size; whole != (r.code == "226") {
			t.Errorf("%s: %d octets, %v, and then %s", b.kind, len(got), err, r)
		}
	})
}

func TestS30_S31_S32_RenameAndDelete(t *testing.T) {
	t.Parallel()
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		s.store("STOR up.tmp", mark(1, 1000))
		s.store("STOR up.bin", mark(0, 10))
		s.do("RNFR up.tmp", "350")
		s.do("RNTO up.bin", "250")
		b.holds(t, prefix+"up.bin", mark(1, 1000))
		b.lacks(t, prefix+"up.tmp")
		for i := range 20 {
			s.store(fmt.Sprintf("STOR from/%d/x.bin", i), mark(i, 100))
		}
		s.do("RNFR from", "350")
		s.do("RNTO from/inside", "55")
		s.do("RNFR from", "350")
		s.do("RNTO a/to", "250")
		for i := range 20 {
			b.holds(t, fmt.Sprintf("%sa/to/%d/x.bin", prefix, i), mark(i, 100))
			b.lacks(t, fmt.Sprintf("%sfrom/%d/x.bin", prefix, i))
		}
		s.do("CWD from", "550")
		s.do("DELE a/to", "550")
		s.do("DELE missing", "550")
		s.do("RMD a", "550")
		s.do("RMD up.bin", "550")
		s.do("RMD missing", "550")
		s.do("DELE up.bin", "250")
		s.do("DELE up.bin", "550")
	})
}
