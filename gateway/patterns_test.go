package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/configs"
)

// TestS46_PatternsOverTheWire: what a client hears of hidden and of denied names.
func TestS46_PatternsOverTheWire(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) {
		m := &cfg.Users[0].Mounts[0]
		m.Hide, m.Deny = []string{".*", "/private"}, []string{"*.exe"}
		cfg.Anonymous.Mounts[0].Hide = []string{"*.part"}
	})
	for _, name := range []string{"cams/.secret", "cams/private/x", "cams/old.exe", "cams/x", "public/a", "public/a.part"} {
		file := filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("twelve bytes"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	for _, list := range []string{"NLST", "NLST *", "NLST p*", "LIST -a", "MLSD"} {
		if got := c.download(list); strings.Contains(got, "secret") || strings.Contains(got, "private") {
			t.Errorf("%s: %q", list, got)
		}
	}
	c.do(229, "EPSV")
	c.do(550, "NLST .*")
	for _, line := range []string{
		"SIZE %", "MDTM %", "MLST %", "STAT %", "HASH %", "CWD %", "DELE %", "RMD %", "RNFR %", "MKD %", "SITE CHMOD 644 %", "MFMT 20200101000000 %",
	} {
		hidden, absent := strings.ReplaceAll(line, "%", ".secret"), strings.ReplaceAll(line, "%", "none/none")
		if strings.HasPrefix(line, "MKD") {
			absent = "MKD .none"
		}
		if a, b := c.do(550, hidden), c.do(550, absent); a != b {
			t.Errorf("%s: %q, of nothing %q", line, a, b)
		}
	}
	c.do(350, "RNFR x")
	c.do(553, "RNTO .hidden")
	c.do(350, "RNFR x")
	c.do(553, "RNTO new.EXE")
	c.do(550, "MKD new.exe")
	for _, line := range []string{"STOR new.exe", "APPE old.exe", "STOU new.exe", "STOR .hidden", "STOR private/new", "STOR d/new.exe/x"} {
		c.do(229, "EPSV")
		c.do(553, line)
	}
	if got := c.download("RETR old.exe"); got != "twelve bytes" {
		t.Errorf("RETR: %q", got)
	}
	c.do(250, "DELE old.exe")
	guest := dial(t, r.explicit, nil)
	guest.login("anonymous", "me")
	if got := guest.download("NLST /public"); got != "/public/a\r\n" {
		t.Errorf("anonymous sees %q", got)
	}
	guest.do(550, "SIZE /public/a.part")
}
