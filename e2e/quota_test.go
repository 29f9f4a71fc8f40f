//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// limitedTo is a set-up of one account on an own prefix of a shared bucket, with a quota.
func limitedTo(b *namedBucket, quota string) (s setup, prefix string) {
	prefix = random(4) + "/"
	return setup{plain4: true, mount: ", quota: {" + quota + "}", accounts: []account{{name: user, store: b, prefix: prefix}}}, prefix
}

// onStores runs the test for each store by itself.
func onStores(t *testing.T, test func(t *testing.T, b *namedBucket)) {
	t.Helper()
	for _, b := range shared.buckets {
		t.Run(b.kind, func(t *testing.T) { test(t, b) })
	}
}

// entered is a session of the account.
func entered(t testing.TB, g *gateway) *session {
	t.Helper()
	s := connect(t, g.address(false, false))
	s.login(user)
	return s
}

// tried sends an upload of which the gateway may say 552 at any time, and returns the reply.
func (s *session) tried(command string, data []byte) reply {
	s.t.Helper()
	conn := s.passive()
	defer conn.Close()
	if r := s.do(command, "150", "552"); r.code == "552" {
		return r
	}
	_, _ = conn.Write(data) // the refusal may come first
	_ = conn.Close()
	return s.want("226", "552")
}

// tooMuch is an upload that does not fit.
func (s *session) tooMuch(command string, data []byte) {
	s.t.Helper()
	if r := s.tried(command, data); r.code != "552" {
		s.fatalf("%s of %d octets was taken", command, len(data))
	}
}

// wantQuota checks what SITE QUOTA says of the root.
func (s *session) wantQuota(says string) {
	s.t.Helper()
	if r := s.do("SITE QUOTA", "200"); !strings.Contains(r.String(), "\n "+says+" in /\n") {
		s.fatalf("SITE QUOTA is not %q", says)
	}
}

// weighed is what is below a prefix in the store itself, without directories.
func (b *namedBucket) weighed(t testing.TB, prefix string) (bytes, files int) {
	t.Helper()
	keys, err := b.keys(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if strings.HasSuffix(key, "/") {
			continue
		}
		data, err := b.read(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		bytes, files = bytes+len(data), files+1
	}
	return bytes, files
}

// TestS45_X10_AQuotaIsKept by all ways to store, tells what it has, and gives back.
func TestS45_X10_AQuotaIsKept(t *testing.T) {
	onStores(t, func(t *testing.T, b *namedBucket) {
		set, prefix := limitedTo(b, "bytes: 100KiB, files: 3")
		g := start(t, set)
		s := entered(t, g)
		s.wantQuota("0 of 102400 bytes and 0 of 3 files")
		first := content(60 << 10)
		s.store("STOR first", first)
		s.wantQuota("61440 of 102400 bytes and 1 of 3 files")
		if r := s.do("AVBL", "213"); r.lines[0] != "213 40960" {
			t.Errorf("AVBL: %s", r)
		}

		s.tooMuch("STOR crossing", content(40<<10+1))
		b.lacks(t, prefix+"crossing")
		s.tooMuch("APPE first", content(40<<10+1))
		s.do("ALLO 40961", "200")
		conn := s.passive()
		s.do("STOR announced", "552") // before any octet
		_ = conn.Close()
		b.lacks(t, prefix+"announced")
		b.holds(t, prefix+"first", first)
		s.wantQuota("61440 of 102400 bytes and 1 of 3 files")

		first = content(100 << 10)
		s.store("STOR first", first) // pays the difference, to the last octet
		s.wantQuota("102400 of 102400 bytes and 1 of 3 files")
		s.tooMuch("STOR first", content(100<<10+1))
		b.holds(t, prefix+"first", first)
		s.do("RNFR first", "350")
		s.do("RNTO moved", "250") // within the quota, full as it is
		s.do("DELE moved", "250")
		s.wantQuota("0 of 102400 bytes and 0 of 3 files")

		for _, name := range []string{"a", "b", "c"} {
			s.store("STOR "+name, []byte(name))
		}
		s.tooMuch("STOR d", []byte("d")) // a file too many
		b.lacks(t, prefix+"d")
		s.wantQuota("3 of 102400 bytes and 3 of 3 files")
		s.do("QUIT", "221")
		if code := g.interrupt(t, syscall.SIGTERM); code != 0 {
			t.Errorf("exit code %d", code)
		}
		s = entered(t, start(t, set))
		s.tooMuch("STOR d", []byte("d"))
		s.wantQuota("3 of 102400 bytes and 3 of 3 files")
	})
}

// TestS45_X10_ParallelUploads of twice what fits never store more, and what was acknowledged
// is what is there.
func TestS45_X10_ParallelUploads(t *testing.T) {
	onStores(t, func(t *testing.T, b *namedBucket) {
		const limit, size, uploads = 1 << 20, 100 << 10, 20
		set, prefix := limitedTo(b, "bytes: 1MiB")
		g := start(t, set)
		var taken atomic.Int64
		var all sync.WaitGroup
		for i := range uploads {
			s := entered(t, g)
			all.Go(func() {
				if s.tried(fmt.Sprintf("STOR %d", i), content(size)).code == "226" {
					taken.Add(1)
				}
			})
		}
		all.Wait()
		bytes, files := b.weighed(t, prefix)
		t.Logf("%d of %d uploads were taken", files, uploads)
		if bytes > limit || files != int(taken.Load()) || files == 0 {
			t.Errorf("%d octets in %d files of a limit of %d, of which %d were acknowledged", bytes, files, limit, taken.Load())
		}
		entered(t, g).wantQuota(fmt.Sprintf("%d of %d bytes and %d files", bytes, limit, files))
	})
}

// TestS45_X10_AParkedUploadCounts also for a gateway that has not parked it, and goes on
// though a second file of its size would not fit.
func TestS45_X10_AParkedUploadCounts(t *testing.T) {
	onStores(t, func(t *testing.T, b *namedBucket) {
		set, prefix := limitedTo(b, "bytes: 14MiB, files: 2")
		g := start(t, set)
		whole := content(13 << 20)
		cutOff(t, g, user, "cut.bin", whole[:12<<20])
		for _, from := range []*gateway{g, start(t, set)} {
			s := entered(t, from)
			s.tooMuch("STOR other", content(7<<20))
			b.lacks(t, prefix+"other")
			if r := s.do("SITE QUOTA", "200"); !strings.Contains(r.String(), " and 1 of 2 files in /") {
				t.Errorf("%s", r)
			}
		}
		sendRest(t, g, user, "cut.bin", whole)
		b.holds(t, prefix+"cut.bin", whole)
		entered(t, g).wantQuota(fmt.Sprintf("%d of %d bytes and 1 of 2 files", len(whole), 14<<20))
	})
}

// TestS45_X10_CurlIsToldThatItIsFull, and what it sent is no file.
// Its error 70 is its word for 552.
func TestS45_X10_CurlIsToldThatItIsFull(t *testing.T) {
	onStores(t, func(t *testing.T, b *namedBucket) {
		set, prefix := limitedTo(b, "bytes: 100KiB")
		g := start(t, set)
		site, err := newSite(g.address(false, false), mode{tls: "explicit"}, user, filepath.Join(t.TempDir(), "home"))
		if err != nil {
			t.Fatal(err)
		}
		fits := content(100 << 10)
		if err := (curl{}).upload(site, writeFile(t, "fits", string(fits)), "/fits"); err != nil {
			t.Fatal(err)
		}
		if err := (curl{}).upload(site, writeFile(t, "more", "x"), "/more"); err == nil || !strings.Contains(err.Error(), "(70)") {
			t.Errorf("curl was not told: %v", err)
		}
		b.holds(t, prefix+"fits", fits)
		b.lacks(t, prefix+"more")
		if err := (curl{}).remove(site, "/fits"); err != nil {
			t.Fatal(err)
		}
		if err := (curl{}).upload(site, writeFile(t, "more", "x"), "/more"); err != nil {
			t.Errorf("there is room again: %v", err)
		}
		b.holds(t, prefix+"more", []byte("x"))
	})
}
