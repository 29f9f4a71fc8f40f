package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/configs"
)

// TestO7_CheckAsAccounts: an account with credentials of its own is checked with those, at
// its own mounts, and is told if they reach further; the store's own credentials need not
// reach there.
func TestO7_CheckAsAccounts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		by := signer.FindStringSubmatch(r.Header.Get("Authorization"))
		lists, prefix := r.Method == http.MethodGet && r.URL.Query().Has("list-type"), r.URL.Query().Get("prefix")
		switch {
		case by[1] == "WIDE" && lists, by[1] == "NARROW" && lists && strings.HasPrefix(prefix, "in/narrow/"):
			fmt.Fprint(w, "<ListBucketResult></ListBucketResult>")
		case by[1] != "GATEWAY" && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/in/"+strings.ToLower(by[1])+"/"):
			w.Header().Set("Etag", `"e"`)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>AccessDenied</Code></Error>")
		}
	}))
	t.Cleanup(server.Close)
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"lake": {Kind: configs.S3, Bucket: "b", Endpoint: server.URL, PathStyle: true, AccessKey: "GATEWAY", SecretKey: "s"}}
	for _, name := range []string{"narrow", "wide", "wrong"} {
		cfg.Users = append(cfg.Users, configs.User{
			Name: name, Password: hash, Mounts: []configs.Mount{{Path: "/", Store: "lake", Prefix: "in/" + name + "/", Rights: []configs.Right{configs.Write}}},
			Credentials: map[string]configs.Credentials{"lake": {AccessKey: configs.Secret(strings.ToUpper(name)), SecretKey: "s"}},
		})
	}
	cfg.Users[2].Credentials = map[string]configs.Credentials{"lake": {AccessKey: "NARROW", SecretKey: "s"}}
	for i := range maxChecked - 1 {
		u := cfg.Users[0]
		u.Name = fmt.Sprintf("more%d", i)
		cfg.Users = append(cfg.Users, u)
	}
	var out bytes.Buffer
	if err := Check(t.Context(), cfg, &out); err == nil {
		t.Error("keys of another account are content")
	}
	for _, want := range []string{
		"lake          put     denied, and no mount needs it\n",
		"lake as narrow  put     ok\n",
		"lake as narrow  wall    ok\n",
		"lake as wide  put     ok\n",
		"lake as wide  wall    none: these credentials can list what is outside the account's mounts; cut their policy to them\n",
		"lake as wrong  put     denied: grant s3:PutObject and s3:AbortMultipartUpload on the objects\n",
		"lake as more6  put     ok\n",
		"lake                  not tried as 2 more accounts with credentials of their own\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q in\n%s", want, &out)
		}
	}
}
