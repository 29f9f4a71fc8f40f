//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// habit is how devices use their sessions. All of them work at a time, each in a directory
// of its own.
type habit struct {
	devices, visits, files int // visits are sessions of a device; files are those of a visit
	looks                  bool
}

// total is how many files all devices store.
func (h habit) total() int { return h.devices * h.visits * h.files }

// run is the devices' day: they log in, go to the day's directory and look what is there,
// once a visit or, those that look, before each file; each file they store they ask the
// size of.
func (h habit) run(t *testing.T, g *gateway) {
	for device := range h.devices {
		t.Run(fmt.Sprint(device), func(t *testing.T) {
			t.Parallel()
			dir, data, stored := fmt.Sprintf("/cam%d", device), content(4<<10), 0
			for range h.visits {
				s := connect(t, g.address(false, false))
				s.login(user)
				for i := range h.files {
					if i == 0 || h.looks {
						s.look(dir, stored)
					}
					name := fmt.Sprintf("%05d.jpg", stored)
					s.store("STOR "+name, data)
					if said := s.do("SIZE "+name, "213"); said.lines[0] != fmt.Sprint("213 ", len(data)) {
						t.Errorf("SIZE of %s: %s", name, said)
					}
					stored++
				}
				s.do("QUIT", "221")
			}
		})
	}
}

// look goes to a directory, which is made if it is missing, and wants so many names there.
func (s *session) look(dir string, want int) {
	s.t.Helper()
	if s.do("CWD "+dir, "250", "550").code == "550" {
		s.do("MKD "+dir, "257")
		s.do("CWD "+dir, "250")
	}
	if n := len(s.names("NLST")); n != want {
		s.fatalf("%d names in %s, want %d", n, dir, want)
	}
}

// mirrors is what lftp's mirror is tried with: files in one directory.
type mirrors struct {
	files int
	local string // folder with them
	home  string
}

func newMirrors(t *testing.T) *mirrors {
	t.Helper()
	m := &mirrors{files: 300, local: t.TempDir(), home: t.TempDir()}
	for i := range m.files {
		path := filepath.Join(m.local, fmt.Sprintf("%05d.dat", i))
		old := time.Now().Add(-time.Hour).Truncate(time.Second) // older than what is uploaded
		if err := errors.Join(os.WriteFile(path, content(1000), 0o600), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// up and down are one run of lftp's each, by the default settings.
func (m *mirrors) up(t *testing.T, g *gateway) {
	m.run(t, g, "-R", "--only-newer", m.local, "/mirror")
}

func (m *mirrors) down(t *testing.T, g *gateway) {
	to := filepath.Join(m.home, "of "+g.address(false, false))
	m.run(t, g, "--only-newer", "/mirror", to)
	got, err := os.ReadDir(to)
	if err != nil || len(got) != m.files {
		t.Errorf("%d files of %d, %v", len(got), m.files, err)
	}
}

func (m *mirrors) run(t *testing.T, g *gateway, args ...string) {
	t.Helper()
	s, err := newSite(g.address(false, false), mode{tls: "plain"}, user, filepath.Join(t.TempDir(), "home"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (lftp{}).do(s, "mirror", args...); err != nil {
		t.Fatal(err)
	}
}

// TestCachePays counts what the cache saves where it is meant to. Users pay for each request;
// a picture that was stored and looked at has cost hardly more than its upload, and to find
// that a mirror is up to date costs no more than the listing.
func TestCachePays(t *testing.T) {
	c := newCaching(t)
	visits, looks := habit{5, 10, 20, false}, habit{5, 2, 20, true}
	c.both(t, paid{work: "day of devices", files: visits.total(), moved: 1, most: 1.2}, visits.run)
	c.afresh(t)
	c.both(t, paid{work: "that look before each file", files: looks.total(), moved: 1, most: 2.2}, looks.run)
	m := newMirrors(t)
	some := 10 / float64(m.files) // for the directory, what is asked once, and what each half minute
	// To set the time of an object is a copy on S3, before which it is looked at.
	c.both(t, paid{work: "mirror up", files: m.files, moved: 1, most: 4 + some}, m.up)
	c.both(t, paid{work: "mirror up again", files: m.files, most: some}, m.up)
	c.both(t, paid{work: "mirror down", files: m.files, moved: 1, most: 1 + some}, m.down)
	c.both(t, paid{work: "mirror down again", files: m.files, most: some}, m.down)
	printPaid(os.Stdout, c.table)
}
