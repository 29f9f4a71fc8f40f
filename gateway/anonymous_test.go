package gateway

import (
	"os"
	"path/filepath"
	"testing"
)

// TestA11_S41_AnonymousChangesNothing: by either name, in any case, no command that makes,
// changes or takes away a file is served.
func TestA11_S41_AnonymousChangesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	file := filepath.Join(r.dir, "public/a")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("twelve bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"anonymous", "ftp", "Anonymous", "FTP"} {
		c := dial(t, r.explicit, nil)
		c.login(name, "me")
		for _, line := range []string{"MKD /public/d", "DELE /public/a", "RMD /public", "RNFR /public/a", "MFMT 20200101000000 /public/a"} {
			c.do(550, line)
		}
		for _, line := range []string{"STOR /public/new", "STOR /public/a", "APPE /public/a", "STOU /public/new", "STOR /new"} {
			c.do(229, "EPSV")
			c.do(553, line)
		}
		if got := c.download("RETR /public/a"); got != "twelve bytes" {
			t.Errorf("%s reads %q", name, got)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
}
