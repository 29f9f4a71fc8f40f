//go:build e2e

package oldservers

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDebian logs in as a user of the system to each server as Debian installs it.
func TestDebian(t *testing.T) {
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			s, err := StartDebian(t.Context(), kind, Options{Dir: t.TempDir(), Users: []User{{Name: "joe", Password: "joe's pass"}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Kill)
			if err := os.WriteFile(filepath.Join(s.Homes, "joe", "a.txt"), []byte("hello"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.Own(); err != nil {
				t.Fatal(err)
			}
			if got := curl(t, &s.Server, s.Users[0], "/a.txt"); got != "hello" {
				t.Errorf("read %q", got)
			}
			if out, err := s.Command("cat", "/etc/passwd").Output(); err != nil || len(out) == 0 {
				t.Errorf("/etc/passwd: %v", err)
			}
		})
	}
}
