package configs

import (
	"errors"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// stored is a configuration whose stores the users files of these tests use.
func stored() *Config {
	cfg := Default()
	cfg.Stores = map[string]Store{"disk": {Kind: LocalDir, Path: "data"}}
	return cfg
}

// TestS52_ProblemsOfUsersFiles compares all that is said of wrong users files with golden
// files.
func TestS52_ProblemsOfUsersFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/usersfiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, err := stored().ParseUsers(file, data)
			if err == nil {
				t.Fatalf("accepted: %+v", f)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
			if strings.Contains(err.Error(), "canary ") || strings.Contains(err.Error(), "$1$ryo") {
				t.Errorf("a secret shows: %v", err)
			}
		})
	}
}

// TestUsersFilesAreOutOfReach: nobody in a users file may read or replace one in a store.
func TestUsersFilesAreOutOfReach(t *testing.T) {
	const covers = "covers disk:conf/users.yaml, where the accounts are"
	cfg := stored()
	cfg.Accounts = []AccountSource{{Store: "disk", Key: "conf/users.yaml"}}
	for text, want := range map[string]string{
		`templates: {t: {mounts: [{path: /, store: disk, prefix: "{user}/", rights: [read]}]}}`:                                                                           "templates.t.mounts[0].prefix: " + covers,
		`templates: {t: {mounts: [{path: /, store: disk, prefix: "a-{user}/", rights: [read]}]}}`:                                                                         "",
		`users: [{name: a, password: "` + someHash + `", mounts: [{path: /, store: disk, rights: [read]}]}]`:                                                              "users[0].mounts[0].prefix: " + covers,
		`users: [{name: a, password: "` + someHash + `", mounts: [{path: /, store: disk, prefix: in/, rights: [write], retention: {days: 1, action: move, to: conf/}}]}]`: "users[0].mounts[0].retention.to: " + covers,
		`users: [{name: a, password: "` + someHash + `", mounts: [{path: /, store: disk, prefix: in/, rights: [write]}]}]`:                                                "",
	} {
		_, err := cfg.ParseUsers("users.yaml", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

const someHash = "$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1"

const wholeUsersFile = `
templates:
  partner:
    charset: latin1
    incomplete: discard
    require_close_notify: true
    allo: enforce
    networks: [10.0.0.0/8]
    mounts:
      - {path: /, store: disk, prefix: "in/{user}/", rights: [write], overwrite_policy: keep_both}
      - {path: "/from-{user}", store: disk, prefix: "out/{user}-{user}/", rights: [list, read]}
users:
  - {name: acme & co, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', template: partner}
  - name: "${X}{user}"
    password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1'
    template: partner
    charset: gbk
    disabled: true
    expires: 2027-03-31
    networks: ["192.0.2.1/32", "2001:db8::/32"]
    mounts: [{path: /, store: disk, rights: [read]}]
`

func TestParseUsers(t *testing.T) {
	f, err := stored().ParseUsers("users.yaml", []byte(wholeUsersFile))
	if err != nil {
		t.Fatal(err)
	}
	const hash = "$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1"
	want := []User{{
		Name: "acme & co", Password: hash, Template: "partner",
		Device:   Device{Charset: "latin1", Incomplete: Discard, CloseNotify: CloseNotifyRequired, ALLO: EnforceALLO},
		Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Mounts: []Mount{
			{Path: "/", Store: "disk", Prefix: "in/acme & co/", Rights: []Right{Write}, Overwrite: KeepBoth},
			{Path: "/from-acme & co", Store: "disk", Prefix: "out/acme & co-acme & co/", Rights: []Right{List, Read}},
		},
	}, {
		Name: "${X}{user}", Password: hash, Template: "partner",
		Device:   Device{Charset: "gbk", Incomplete: Discard, CloseNotify: CloseNotifyRequired, ALLO: EnforceALLO},
		Disabled: true, Expires: Date{2027, time.March, 31},
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32")},
		Mounts:   []Mount{{Path: "/", Store: "disk", Rights: []Right{Read}}},
	}}
	if !reflect.DeepEqual(f.Users, want) {
		t.Errorf("got  %#v\nwant %#v", f.Users, want)
	}
	if f.Templates["partner"].Mounts[0].Prefix != "in/{user}/" {
		t.Errorf("the template is not as it was: %+v", f.Templates["partner"])
	}
	if got := f.Problem("users[1].charset", "wrong", "right").Error(); got != "users.yaml:17: users[1].charset: wrong; right" {
		t.Errorf("got %q", got)
	}
	if f, err := stored().ParseUsers("users.yaml", nil); err != nil || len(f.Users) > 0 {
		t.Errorf("an empty file: %v, %v", f, err)
	}
}

func TestDate(t *testing.T) {
	d := Date{2027, time.February, 28}
	if got := d.End(); !got.Equal(time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)) || d.String() != "2027-02-28" {
		t.Errorf("%v ends at %v", d, got)
	}
	if (Date{}).String() != "" || !(Date{}).End().IsZero() {
		t.Error("no date has an end")
	}
	for _, text := range []string{"", "2027-02-29", "27-03-31", "2027-3-1", "2027-03-31T00:00:00Z", "31.03.2027"} {
		if got, err := parseDate(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

// TestLoadAccounts: who edits accounts has neither the gateway's environment nor its key.
func TestLoadAccounts(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "causeway.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tls: {certificate: none.pem, key: none.pem}\nstores: {s3: {kind: s3, bucket: bucket, access_key: a, secret_key: '${CAUSEWAY_UNSET}'}}\n" +
		"users: [{name: a, password: '${CAUSEWAY_UNSET}', mounts: []}]\naccounts: [{file: users.yaml}]\n")
	if _, err := Load(file); err == nil {
		t.Error("all of it is right")
	}
	cfg, err := LoadAccounts(file)
	if err != nil || len(cfg.Stores) != 1 || cfg.Accounts[0].File != filepath.Join(dir, "users.yaml") {
		t.Errorf("%+v, %v", cfg, err)
	}
	for _, text := range []string{"accounts: [{fiel: users.yaml}]", "accounts: users.yaml", "accounts: ["} {
		write(text)
		var p Problems
		if _, err := LoadAccounts(file); !errors.As(err, &p) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzParseUsers: no text crashes it, and no name that it accepts leads out of the place
// that its template gives it.
func FuzzParseUsers(f *testing.F) {
	files, _ := filepath.Glob("testdata/usersfiles/*.yaml")
	for _, file := range append(files, "examples/users.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(wholeUsersFile))
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, err := stored().ParseUsers("fuzz.yaml", data)
		var ps Problems
		if (parsed == nil) == (err == nil) || err != nil && (!errors.As(err, &ps) || len(ps) == 0) {
			t.Fatalf("%v and %v", parsed, err)
		}
		if parsed == nil {
			return
		}
		for _, u := range parsed.Users {
			for _, m := range u.Mounts {
				if m.Path != path.Clean(m.Path) || m.Prefix != "" && m.Prefix != path.Clean("/" + m.Prefix)[1:]+"/" {
					t.Fatalf("%q: %q shows %q", u.Name, m.Path, m.Prefix)
				}
			}
			checkDepth(t, u, parsed.Templates[u.Template])
		}
	})
}

// checkDepth holds the mounts of a user against its template's: they are as deep.
func checkDepth(t *testing.T, u User, template Template) {
	t.Helper()
	if len(u.Mounts) != len(template.Mounts) {
		return
	}
	for i, m := range template.Mounts {
		own := u.Mounts[i]
		if !strings.Contains(m.Prefix, UserMark) || m.Store != own.Store || own.Prefix != strings.ReplaceAll(m.Prefix, UserMark, u.Name) {
			continue
		}
		before, _, _ := strings.Cut(m.Prefix, UserMark)
		if strings.Count(own.Prefix, "/") != strings.Count(m.Prefix, "/") || !strings.HasPrefix(own.Prefix, before) {
			t.Fatalf("%q: %q becomes %q", u.Name, m.Prefix, own.Prefix)
		}
	}
}

// TestHomeOfAUser: {home} in a template is what the user says, and leads nowhere else.
func TestHomeOfAUser(t *testing.T) {
	text := func(home string) []byte {
		return []byte("templates:\n  moved: {mounts: [{path: /, store: disk, prefix: \"old/{home}/\", rights: [write]}]}\n" +
			"users:\n  - {name: acme, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', template: moved" + home + "}\n")
	}
	f, err := stored().ParseUsers("users.yaml", text(", home: north/acme"))
	if err != nil || f.Users[0].Mounts[0].Prefix != "old/north/acme/" {
		t.Errorf("%+v, %v", f, err)
	}
	for home, want := range map[string]string{
		"": "users[0].template: home: the template needs it", ", home: ../up": "users[0].home: cannot be put", `, home: 'a\b'`: "users[0].home: cannot be put",
		", home: a//b": "users[0].home: cannot be put", ", home: .causeway/x": "users[0].home: cannot be put", ", home: /": "users[0].home: cannot be put",
	} {
		if _, err := stored().ParseUsers("users.yaml", text(home)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", home, err)
		}
	}
}
