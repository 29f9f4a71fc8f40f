package importers

import (
	"crypto/md5"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/auth"
)

var update = flag.Bool("update", false, "write what was read as what is wanted")

// cheap hashes passwords that the old server has in clear, at no cost.
func cheap(password string) (string, error) {
	if password == "" {
		return "", auth.ErrPassword
	}
	return "$1$salt$ez2vlPGdaLYkJam5pWs/Y1", nil
}

// load reads files of testdata.
func load(tb testing.TB, names ...string) []File {
	tb.Helper()
	var files []File
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			tb.Fatal(err)
		}
		files = append(files, File{Path: name, Text: text})
	}
	return files
}

// cases are the files of each server, of testdata/README.
func cases() map[string]struct {
	server string
	files  []string
} {
	type c = struct {
		server string
		files  []string
	}
	return map[string]c{
		"vsftpd":        {"vsftpd", []string{"vsftpd_logins.txt", "vsftpd.user_list", "vsftpd.chroot_list"}},
		"vsftpdpwdfile": {"vsftpd", []string{"vsftpd.pwdfile"}},
		"vsftpdsystem":  {"vsftpd", []string{"passwd", "shadow"}},
		"proftpd":       {"proftpd", []string{"ftpd.passwd", "ftpd.group"}},
		"pureftpd":      {"pureftpd", []string{"pureftpd.passwd"}},
		"htpasswd":      {"htpasswd", []string{"htpasswd"}},
		"passwd":        {"passwd+shadow", []string{"passwd", "shadow"}},
		"filezilla0":    {"filezilla", []string{"FileZilla Server.xml"}},
		"filezilla1":    {"filezilla", []string{"users.xml"}},
	}
}

// TestImportReadsFilesOfEachServer: the accounts, and a line for each that is not taken,
// are those of testdata/*.golden.
func TestImportReadsFilesOfEachServer(t *testing.T) {
	servers, check := map[string]bool{}, auth.Hashes{}.Checker()
	for name, c := range cases() {
		servers[c.server] = true
		got := describe(Read(c.server, load(t, c.files...), Options{Check: check, Hash: cheap}))
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != got {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
	for _, server := range Servers() {
		if !servers[server] {
			t.Errorf("no file of %s", server)
		}
	}
}

// describe is a result in lines, without hashes.
func describe(r Result) string {
	var b strings.Builder
	for _, a := range r.Accounts {
		kind := strings.SplitAfter(a.Hash, "$")
		if a.Hash[0] == '{' {
			kind = strings.SplitAfter(a.Hash, "}")[:1]
		}
		fmt.Fprintf(&b, "%s:%d: %s %s home=%q disabled=%t expires=%s networks=%v\n",
			a.File, a.Line, a.Name, strings.Join(kind[:min(2, len(kind))], ""), a.Home, a.Disabled, a.Expires.Format("2006-01-02"), a.Networks)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "lost=%t %s\n", n.Lost, n)
	}
	return b.String()
}

// TestImportKeepsPasswords: who is read logs in with the old password, and with no other.
func TestImportKeepsPasswords(t *testing.T) {
	check := auth.Hashes{DES: true}.Checker()
	for name, c := range cases() {
		hash := func(password string) (string, error) { return "{MD5}" + md5Of(password), nil }
		result := Read(c.server, load(t, c.files...), Options{Check: check, Hash: hash})
		var users []auth.User
		for _, a := range result.Accounts {
			users = append(users, auth.User{Account: auth.Account{Name: a.Name}, Hash: a.Hash})
		}
		all, err := auth.New(users, nil, auth.Hashes{DES: true})
		if err != nil || len(users) == 0 {
			t.Fatalf("%s: %d users: %v", name, len(users), err)
		}
		if name == "pureftpd" {
			continue // half a second each; the end to end test logs in to them
		}
		for _, u := range users {
			password := strings.TrimPrefix(u.Name, "#") + " old pw"
			if u.Name == "old" {
				password = "old pw"
			}
			if u.Name == "#anna" {
				password = "#anna old pw"
			}
			if _, err := all.Login(t.Context(), auth.Attempt{Name: u.Name, Password: password}); err != nil {
				t.Errorf("%s: %s: %v", name, u.Name, err)
			}
			if _, err := all.Login(t.Context(), auth.Attempt{Name: u.Name, Password: "no " + password}); err == nil {
				t.Errorf("%s: %s: any password", name, u.Name)
			}
		}
	}
}

// TestImportTellsNoSecrets: no note has a password or hash in it, whatever the file.
func TestImportTellsNoSecrets(t *testing.T) {
	const canary = "canary"
	check := auth.Hashes{}.Checker()
	for _, server := range Servers() {
		for _, text := range []string{
			"a:" + canary, "a:" + canary + ":0:0::/:/", "a:" + canary + ":1:1::/:/", canary, "\n" + canary, "a\n" + canary + "\nb", "a:$1$" + canary + ":",
			"a:" + canary + strings.Repeat(":", 16), "<User Name='a'><Option Name='Pass'>" + canary + "</Option></User>",
			"<user name='a'><password><hash>" + canary + "</hash><salt>" + canary + "</salt><iterations>" + canary + "</iterations></password></user>",
			"<user>" + canary + "</usr>", "<user><password>&" + canary + ";</password></user>",
		} {
			for _, n := range Read(server, []File{{Path: "f", Text: []byte(text)}}, Options{Check: check, Hash: cheap}).Notes {
				if strings.Contains(n.String(), canary) {
					t.Errorf("%s of %q: %s", server, text, n)
				}
			}
		}
	}
}

// fuzz reads any text as a file of a server: nothing panics, and what is taken can be used.
func fuzz(f *testing.F, server string) {
	f.Helper()
	for _, c := range cases() {
		if c.server == server {
			for _, file := range load(f, c.files...) {
				f.Add(file.Path, string(file.Text))
			}
		}
	}
	check := auth.Hashes{}.Checker()
	f.Fuzz(func(t *testing.T, path, text string) {
		result := Read(server, []File{{Path: path, Text: []byte(text)}}, Options{Check: check, Hash: cheap})
		var names []string
		for _, a := range result.Accounts {
			if name, ok := auth.Canonical(a.Name); !ok || name != a.Name || slices.Contains(names, name) || check(a.Hash) != nil {
				t.Errorf("%q of line %d cannot be used", a.Name, a.Line)
			}
			names = append(names, a.Name)
		}
		for _, n := range result.Notes {
			if n.Line < 1 || n.Text == "" {
				t.Errorf("%+v", n)
			}
		}
	})
}

func FuzzVsftpd(f *testing.F)    { fuzz(f, "vsftpd") }
func FuzzProftpd(f *testing.F)   { fuzz(f, "proftpd") }
func FuzzPureftpd(f *testing.F)  { fuzz(f, "pureftpd") }
func FuzzHtpasswd(f *testing.F)  { fuzz(f, "htpasswd") }
func FuzzPasswd(f *testing.F)    { fuzz(f, "passwd+shadow") }
func FuzzFilezilla(f *testing.F) { fuzz(f, "filezilla") }

// md5Of is the cheapest hash that tells passwords apart.
func md5Of(password string) string {
	sum := md5.Sum([]byte(password))
	return base64.StdEncoding.EncodeToString(sum[:])
}
