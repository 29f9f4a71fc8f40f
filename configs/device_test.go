package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestS40_WhoDecidesHowADeviceTalks: the user, then the template, then the profile, then
// the default, for each attribute by itself.
func TestS40_WhoDecidesHowADeviceTalks(t *testing.T) {
	cfg, err := parse("x.yaml", []byte(`
listeners: [{address: ":0"}]
stores: {disk: {kind: localdir, path: data}}
tls: {self_signed: true}
profiles:
  own: {charset: gbk, listing: dos, active: false, overwrite_policy: refuse}
  scanner: {charset: koi8-r}
templates:
  of-own: {profile: own, charset: latin1, active: true, mounts: [{path: /, store: disk, prefix: "{user}/", rights: [write]}]}
  bare: {mounts: [{path: /, store: disk, prefix: "{user}/", rights: [write]}]}
accounts: [{file: users.yaml}]
`), bare)
	if err != nil {
		t.Fatal(err)
	}
	const hash = "$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1"
	own := Device{Charset: "latin1", Listing: DOSListing, Active: ActiveAllowed, Overwrite: Refuse}
	ready := ReadyProfiles()
	for _, c := range []struct {
		user string
		want Device
	}{
		{"template: of-own", own},
		{"template: of-own, listing: unix, tls: required", Device{TLS: RequiredTLS, Charset: "latin1", Listing: UnixListing, Active: ActiveAllowed, Overwrite: Refuse}},
		{"template: of-own, profile: mainframe", ready["mainframe"].or(Device{Charset: "latin1", Active: ActiveAllowed})},
		{"template: bare", Device{}},
		{"template: bare, profile: windows-ftp, charset: utf-8", Device{Active: ActiveAllowed, Charset: "utf-8", Listing: DOSListing}},
		{"template: bare, profile: scanner", Device{Charset: "koi8-r"}},
		{"profile: old-camera, mounts: [{path: /, store: disk, rights: [write]}]", ready["old-camera"]},
	} {
		f, err := cfg.ParseUsers("users.yaml", fmt.Appendf(nil, "users: [{name: a, password: '%s', %s}]", hash, c.user))
		if err != nil || f.Users[0].Device != c.want {
			t.Errorf("%s: %+v, want %+v, %v", c.user, f, c.want, err)
		}
	}
	if u, err := cfg.UserOf("of-own", "a", nil); err != nil || u.Device != own || u.Profile != "own" {
		t.Errorf("%+v, %v", u, err)
	}
	if scanner := ready["scanner"]; scanner.Overwrite != KeepBoth || !reflect.DeepEqual(ReadyProfiles(), ready) {
		t.Errorf("the ready profiles have changed: %+v", ready)
	}
}

// TestS16_OverwriteOfAMount: a mount's own word goes before the user's, and that before the
// default.
func TestS16_OverwriteOfAMount(t *testing.T) {
	user := User{Device: Device{Overwrite: KeepBoth}}
	for _, c := range []struct {
		user  User
		mount Mount
		want  OverwritePolicy
	}{
		{want: Replace},
		{user: user, want: KeepBoth},
		{user: user, mount: Mount{Overwrite: Refuse}, want: Refuse},
		{user: user, mount: Mount{Overwrite: Replace}, want: Replace},
	} {
		if got := c.user.OverwriteOf(c.mount); got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.user, c.mount, got, c.want)
		}
	}
}

// TestLoadAccountsWithoutCertificate: who edits accounts may not know where the certificate
// is, and TLS may be required of them all the same.
func TestLoadAccountsWithoutCertificate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "causeway.yaml")
	text := "tls: {certificate: '${CAUSEWAY_UNSET}', key: '${CAUSEWAY_UNSET}'}\nstores: {disk: {kind: localdir, path: data}}\naccounts: [{file: users.yaml}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadAccounts(file)
	if err != nil {
		t.Fatal(err)
	}
	users := "users: [{name: a, tls: required, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', mounts: [{path: /, store: disk, rights: [write]}]}]"
	if f, err := cfg.ParseUsers("users.yaml", []byte(users)); err != nil {
		t.Errorf("%+v, %v", f, err)
	}
}
