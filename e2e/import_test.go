//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// imports are the files of each server, which are described in their folder's README, and
// the passwords with which accounts log in there and here.
func imports() []struct {
	server string
	files  []string
	logins map[string]string
} {
	const joe, anna = "joe old pw", "anna old pw"
	return []struct {
		server string
		files  []string
		logins map[string]string
	}{
		{"vsftpd", []string{"vsftpd_logins.txt", "vsftpd.user_list"}, map[string]string{"joe": joe, "#anna": "#anna old pw"}},
		{"vsftpd", []string{"vsftpd.pwdfile"}, map[string]string{"joe": joe, "anna": anna}},
		{"proftpd", []string{"ftpd.passwd", "ftpd.group"}, map[string]string{"joe": joe, "anna": anna, "md5": "md5 old pw", "old": "old pw"}},
		{"pureftpd", []string{"pureftpd.passwd"}, map[string]string{"joe": joe, "slow": "slow old pw"}},
		{"htpasswd", []string{"htpasswd"}, map[string]string{"joe": joe, "anna": anna, "sha": "sha old pw", "six": "six old pw", "old": "old pw"}},
		{"passwd+shadow", []string{"passwd", "shadow"}, map[string]string{"joe": joe, "anna": anna}},
		{"filezilla", []string{"FileZilla Server.xml"}, map[string]string{"joe": joe}},
		{"filezilla", []string{"users.xml"}, map[string]string{"joe": joe}},
	}
}

const importConfig = `listeners: [{address: "127.0.0.1:0"}]
stores: {disk: {kind: localdir, path: %s}}
accounts: [{file: users.yaml, rehash: true}]
password_hashes: {allow: [des-crypt]}
log: {format: json, level: debug}
`

const importUsers = `# moved from the old server
templates:
  partner: {mounts: [{path: /, store: disk, prefix: "in/{user}/", rights: [list, read, write]}]}
users: []
`

// TestImportThenLogInWithTheOldPassword moves the accounts of each server with the command,
// and logs in to the gateway that reads them. An old hash then becomes an argon2id one, in
// the sandbox, and the password stays.
func TestImportThenLogInWithTheOldPassword(t *testing.T) {
	for _, c := range imports() {
		t.Run(c.server+"/"+c.files[0], func(t *testing.T) {
			dir := t.TempDir()
			config, users := filepath.Join(dir, "causeway.yaml"), filepath.Join(dir, "users.yaml")
			err := errors.Join(os.WriteFile(config, fmt.Appendf(nil, importConfig, quote(t.TempDir())), 0o600), os.WriteFile(users, []byte(importUsers), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"user", "import", "-c", config, "--from", c.server, "--template", "partner"}
			for _, file := range c.files {
				args = append(args, filepath.Join("..", "auth", "importers", "testdata", file))
			}
			out, _ := exec.Command(shared.binary, args...).CombinedOutput() // 1 where lines are not taken
			if !strings.Contains(string(out), "accounts were written to "+users) || strings.Contains(string(out), "old pw") {
				t.Fatalf("%s", out)
			}
			g := launch(t, "serve", "-c", config)
			record, err := g.log.await(func(r record) bool { return r["msg"] == "listening" }, 0, g.exited)
			if err != nil {
				t.Fatalf("gateway does not listen: %v\n%s", err, g.log)
			}
			enter := func(name, password string) bool {
				return exec.Command("curl", "-sS", "--max-time", "50", "-u", name+":"+password, "ftp://"+record.text("address")+"/").Run() == nil
			}
			for name, password := range c.logins {
				if !enter(name, password) {
					t.Errorf("%s cannot log in\n%s", name, out)
				}
			}
			if enter("joe", "wrong pw") || enter("joe", "") {
				t.Error("joe logs in with any password")
			}
			if c.server == "htpasswd" {
				awaitArgon2(t, users, "joe")
				if !enter("joe", "joe old pw") || enter("joe", "wrong pw") {
					t.Error("joe's new hash is of another password")
				}
			}
		})
	}
}

// awaitArgon2 waits until an account's hash has been replaced.
func awaitArgon2(t *testing.T, users, name string) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		text, err := os.ReadFile(users)
		if err == nil && !strings.Contains(string(text), "{name: "+name+", password: '$argon2id$") {
			err = errors.New("the old hash is still there")
		}
		return err
	})
	if err != nil {
		text, _ := os.ReadFile(users)
		t.Errorf("%v\n%s", err, text)
	}
}
