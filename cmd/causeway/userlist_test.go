package main

import (
	"strings"
	"testing"

	"causeway/configs"
	"causeway/gateway"
)

// TestO6_ShowTellsNoKeys: it says with what an account asks a store, and not the keys.
func TestO6_ShowTellsNoKeys(t *testing.T) {
	account := gateway.Account{Source: -1, User: configs.User{Name: "acme", Password: "canary", Credentials: map[string]configs.Credentials{
		"lake":  {AccessKey: "canary", SecretKey: "canary"},
		"drops": {AssumeRole: configs.AssumeRole{RoleARN: "arn:aws:iam::123456789012:role/partners", ExternalID: "canary"}},
	}}}
	var out strings.Builder
	if err := show(&out, account, "users.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"drops: a session of arn:aws:iam::123456789012:role/partners\n", "lake: keys of its own\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a secret shows:\n%s", &out)
	}
}
