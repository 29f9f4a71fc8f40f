package configs

import (
	"reflect"
	"strings"
	"testing"
)

func TestSessionNameOf(t *testing.T) {
	for _, test := range []struct{ form, user, want string }{
		{"", "acme", "causeway-acme"},
		{"{user}@ftp", "acme", "acme@ftp"},
		{"{user}.{user}", "a", "a.a"},
		{"", "Müller & co", "causeway-M-ller---co"},
		{"", strings.Repeat("x", 255), "causeway-" + strings.Repeat("x", 55)},
		{"fixed", "acme", "fixed"},
	} {
		if got := (AssumeRole{SessionName: test.form}).SessionNameOf(test.user); got != test.want {
			t.Errorf("%q of %q: %q, want %q", test.form, test.user, got, test.want)
		}
	}
}

// TestCredentialsOfTemplates are those of users who have none themselves.
func TestCredentialsOfTemplates(t *testing.T) {
	cfg := Default()
	cfg.Stores = map[string]Store{"aws": {Kind: S3, Bucket: "drops"}}
	f, err := cfg.ParseUsers("users.yaml", []byte(`
templates:
  partner:
    credentials: {aws: {assume_role: {role_arn: "arn:aws:iam::123456789012:role/partners", session_name: "ftp-{user}"}}}
    mounts: [{path: /, store: aws, prefix: "in/{user}/", rights: [write]}]
users:
  - {name: acme, password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1', template: partner}
  - name: globex
    password: '$1$ryoZ13uQ$s/pg/v0yvADnExHRg8akZ1'
    template: partner
    credentials: {aws: {access_key: AKIA, secret_key: s}}
`))
	if err != nil {
		t.Fatal(err)
	}
	role := AssumeRole{RoleARN: "arn:aws:iam::123456789012:role/partners", SessionName: "ftp-{user}"}
	want := []map[string]Credentials{{"aws": {AssumeRole: role}}, {"aws": {AccessKey: "AKIA", SecretKey: "s"}}}
	for i, u := range f.Users {
		if !reflect.DeepEqual(u.Credentials, want[i]) {
			t.Errorf("%s: %+v", u.Name, u.Credentials)
		}
	}
	if name := f.Users[0].Credentials["aws"].AssumeRole.SessionNameOf("acme"); name != "ftp-acme" {
		t.Error(name)
	}
}
