//go:build e2e

package e2e

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
)

// A camera's habit: try the deep directory, and when it is missing make it one
// level after the other.
func TestDeviceMakesDirectoriesOneByOne(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		s.do("CWD /cam/2026/11", "550")
		for _, level := range []string{"cam", "2026", "11"} {
			s.do("CWD "+level, "550")
			if r := s.do("MKD "+level, "257"); !strings.HasPrefix(r.lines[0], `257 "/`) {
				t.Errorf("MKD does not tell an absolute path: %s", r)
			}
			s.do("CWD "+level, "250")
		}
		if r := s.do("PWD", "257"); !strings.HasPrefix(r.lines[0], `257 "/cam/2026/11"`) {
			t.Errorf("PWD: %s", r)
		}
		s.do("MKD /cam/2026/11", "5") // exists: refused, and harmless
		data := content(1000)
		s.store("STOR snap 1.jpg", data)
		b.holds(t, prefix+"cam/2026/11/snap 1.jpg", data)
		s.do("CWD //cam/2026", "250")
		s.do("XMKD 12", "257")
		s.do("XCWD 12", "250")
		s.do("XPWD", "257")
		s.do("XCUP", "250")
		s.do("XRMD 12", "250")
	})
}

// Some devices make no directory at all and expect that it appears.
func TestDeviceStoresIntoMissingDirectory(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		data := content(500)
		s.store("STOR /new/dir/snap.jpg", data)
		b.holds(t, prefix+"new/dir/snap.jpg", data)
		s.do("CWD /new/dir", "250")
	})
}

// An active-only device that writes x.tmp, renames it, and asks with NLST
// whether it arrived.
func TestDeviceRenamesAfterUploadActiveOnly(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		data := content(70_000)
		port, accept := s.active()
		s.do(port, "200")
		s.send("STOR event.tmp")
		conn := accept()
		s.want("150", "125")
		s.write(conn, data)
		_ = conn.Close()
		s.want("226")
		b.holds(t, prefix+"event.tmp", data)
		s.do("RNFR event.tmp", "350")
		s.do("RNTO event.jpg", "250")
		b.holds(t, prefix+"event.jpg", data)
		b.lacks(t, prefix+"event.tmp")
		if names := s.names("NLST"); !slices.Equal(names, []string{"event.jpg"}) {
			t.Errorf("NLST lists %q", names)
		}
		if names := s.names("NLST event.jpg"); !slices.Equal(names, []string{"event.jpg"}) {
			t.Errorf("NLST of the file lists %q", names)
		}
	})
}

// What scanners and old firmware send before they send a file; a refusal stops
// them.
func TestDevicePreliminaries(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.do("OPTS UTF8 ON", "200")
		s.do("SYST", "215")
		s.login(user)
		for _, command := range []string{"TYPE A N", "TYPE I", "STRU F", "MODE S", "OPTS UTF8 ON", "CLNT scanner", "SITE UMASK 022", "NOOP"} {
			s.do(command, "2")
		}
		s.do("ALLO 2000", "200", "202")
		r := s.storeUnique(content(2000))
		name, ok := strings.CutPrefix(r.lines[0], r.code+" FILE: ")
		if !ok {
			t.Fatalf("STOU: %s", r)
		}
		if _, err := b.read(t.Context(), prefix+name); err != nil {
			t.Errorf("STOU: %q: %v", name, err)
		}
		s.do("SITE CHMOD 644 "+name, "2")
		s.do("DELE "+name, "250")
		b.lacks(t, prefix+name)
	})
}

// storeUnique is STOU; it returns the preliminary reply, which tells the name.
func (s *session) storeUnique(data []byte) reply {
	s.t.Helper()
	conn := s.passive()
	r := s.do("STOU", "150", "125")
	s.write(conn, data)
	_ = conn.Close()
	s.want("226")
	return r
}

// A client that writes everything at once and reads the replies afterwards.
func TestDevicePipelines(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		data := content(30_000)
		port, accept := s.active()
		s.send("USER "+user, "PASS "+password, "TYPE I", "MKD in", "CWD in", port, "STOR a.bin", "NOOP", "SIZE a.bin", "QUIT")
		conn := accept()
		s.write(conn, data)
		_ = conn.Close()
		var codes []string
		for range 11 {
			codes = append(codes, s.read().code)
		}
		// NOOP may be answered while the transfer runs; the order of all else is fixed.
		rest := slices.DeleteFunc(slices.Clone(codes[6:]), func(code string) bool { return code == "200" })
		if !slices.Equal(codes[:5], []string{"331", "230", "200", "257", "250"}) || !slices.Equal(rest, []string{"150", "226", "213", "221"}) {
			s.fatalf("replies %v", codes)
		}
		b.holds(t, prefix+"in/a.bin", data)
	})
}

// QUIT during a transfer lets it end; 226 comes first (RFC 959, 4.1.1).
func TestQuitRightAfterStor(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		data := content(200_000)
		conn := s.transfer("STOR last.bin")
		s.write(conn, data[:1000])
		s.send("QUIT")
		s.write(conn, data[1000:])
		_ = conn.Close()
		s.want("226")
		s.want("221")
		b.holds(t, prefix+"last.bin", data)
	})
}

// A device that says goodbye and hangs up without waiting for any reply has not
// been cut off: it said QUIT.
func TestS11_QuitAndHangUpIsNotCutOff(t *testing.T) {
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		s := connect(t, g.address(false, false))
		s.login(user)
		data := content(200_000)
		conn := s.transfer("STOR last.bin")
		s.write(conn, data)
		s.send("QUIT")
		_ = conn.Close()
		_ = s.conn.Close()
		err := poll(t.Context(), patience, func() error {
			_, err := b.read(t.Context(), prefix+"last.bin")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		b.holds(t, prefix+"last.bin", data)
	})
}

// Old firmware speaks TLS 1.0; it gets in only where the configuration says so.
func TestOldTLSFloor(t *testing.T) {
	files := "certificate: " + quote(shared.cert.certFile) + ", key: " + quote(shared.cert.keyFile)
	old := start(t, setup{accounts: []account{{name: user, store: bucketOf("localdir"), prefix: random(4) + "/"}}, tls: "{" + files + `, min_version: "1.0"}`})
	strict := start(t, setup{accounts: []account{{name: user, store: bucketOf("localdir"), prefix: random(4) + "/"}}})
	for name, version := range map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11} {
		t.Run(name, func(t *testing.T) {
			config := shared.cert.clientTLS()
			config.MinVersion, config.MaxVersion = version, version
			for _, implicit := range []bool{false, true} {
				var s *session
				if implicit {
					s = connectTLS(t, old.address(false, true), config)
				} else {
					s = connect(t, old.address(false, false))
					s.secure(config)
				}
				s.login(user)
				if implicit {
					s.do("PBSZ 0", "200")
					s.do("PROT P", "200")
				}
				data := content(100_000)
				s.store("STOR old.bin", data)
				if err := same(s.fetch("RETR old.bin"), data); err != nil {
					t.Error(err)
				}
			}
			s := connect(t, strict.address(false, false))
			s.do("AUTH TLS", "234")
			if err := tls.Client(s.raw, config).Handshake(); err == nil {
				t.Error("the default configuration accepts an old version")
			}
		})
	}
}
