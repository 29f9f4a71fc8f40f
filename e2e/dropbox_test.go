//go:build e2e

package e2e

import (
	"errors"
	"path/filepath"
	"testing"
)

// dropBoxes are one that makes directories, and one that may do nothing but take files.
func dropBoxes(t *testing.T, b *namedBucket) *gateway {
	return start(t, setup{accounts: []account{
		{name: user, store: b, prefix: "in/", mount: ", rights: [write, mkdir]"},
		{name: "bare", store: b, prefix: "bare/", mount: ", rights: [write]"},
	}})
}

// TestS40_EveryClientDropsFiles: who may neither list nor read uploads by every client, into
// directories too, and is shown nothing.
func TestS40_EveryClientDropsFiles(t *testing.T) {
	b, err := newLocalBucket(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g := dropBoxes(t, b)
	data := content(100_000)
	local := writeFile(t, "drop.bin", string(data))
	for _, c := range clients() {
		for account, prefix := range map[string]string{user: "in/", "bare": "bare/"} {
			t.Run(c.name()+"/"+account, func(t *testing.T) {
				m := mode{tls: "explicit"}
				if c.unable(m) != "" {
					m.tls = "plain"
				}
				s, err := newSite(g.address(false, false), m, account, filepath.Join(t.TempDir(), "home"))
				if err != nil {
					t.Fatal(err)
				}
				dir, none := c.name(), lack("")
				if err := c.mkdir(s, "/"+dir); account == user && err != nil && !errors.As(err, &none) {
					t.Errorf("mkdir: %v", err)
				}
				for _, name := range []string{dir + ".bin", dir + "/drop.bin"} {
					switch err := c.upload(s, local, "/"+name); {
					case errors.As(err, &none):
						return // it only reads
					case err != nil:
						t.Fatalf("upload of %s: %v", name, err)
					}
					b.holds(t, prefix+name, data)
				}
				if names, err := c.list(s, "/"); err != nil && !errors.As(err, &none) || len(names) > 0 {
					t.Errorf("list: %q, %v", names, err)
				}
				if err := c.download(s, "/"+dir+".bin", filepath.Join(s.home, "back.bin")); err == nil {
					t.Error("what was dropped can be read")
				}
			})
		}
	}
}

// TestS40_FileZillaDropsAFile: the commands of FileZilla 3 in its order, of which none may
// stop it, on every store.
func TestS40_FileZillaDropsAFile(t *testing.T) {
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		t.Run(b.kind, func(t *testing.T) {
			g := dropBoxes(t, b)
			data := content(70_000)
			for account, prefix := range map[string]string{user: "in/", "bare": "bare/"} {
				s := connect(t, g.address(false, false))
				s.login(account)
				s.do("SYST", "215")
				s.do("FEAT", "211")
				s.do("OPTS UTF8 ON", "200")
				s.do("PWD", "257")
				s.do("TYPE I", "200")
				if shown := s.fetch("MLSD"); len(shown) > 0 {
					t.Errorf("MLSD: %q", shown)
				}
				if account == user {
					s.do("MKD /box", "257")
					s.do("MKD /box", "550") // which it takes for a directory that is there
				}
				s.do("CWD /box", "250")
				if shown := s.fetch("LIST -a"); len(shown) > 0 {
					t.Errorf("LIST -a: %q", shown)
				}
				s.do("SIZE drop.bin", "550")
				s.do("MDTM drop.bin", "550")
				s.store("STOR drop.bin", data)
				b.holds(t, prefix+"box/drop.bin", data)
				if size := s.do("SIZE drop.bin", "213"); size.lines[0] != "213 70000" {
					t.Errorf("its own upload: %s", size)
				}
				s.do("MDTM drop.bin", "213", "550") // not every store tells the time of what it has taken
				s.do("MLST drop.bin", "250")
				if shown := s.fetch("MLSD"); len(shown) > 0 {
					t.Errorf("MLSD: %q", shown)
				}
				s.do("DELE drop.bin", "550")
				s.do("RNFR drop.bin", "550")
				s.passive()
				s.do("RETR drop.bin", "550")
				s.passive()
				s.do("STOR drop.bin", "553") // what has arrived is final

				other := connect(t, g.address(false, false))
				other.login(account)
				other.do("CWD /box", "250")
				other.do("SIZE drop.bin", "550") // another session knows nothing of it
				other.do("CWD /never/made", "250")
				b.holds(t, prefix+"box/drop.bin", data)
			}
		})
	}
}
