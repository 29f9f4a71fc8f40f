package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"causeway/auth"
	"causeway/backends"
	"causeway/cache"
	"causeway/configs"
)

// guest is an S3 server without objects that notes which keys have signed requests about
// which of them.
type guest struct {
	mu     sync.Mutex
	signed map[string]bool // "KEY asks for KEY"
}

var signer = regexp.MustCompile(`Credential=([^/]+)/`)

func (f *guest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	by := signer.FindStringSubmatch(r.Header.Get("Authorization"))
	about := r.URL.Path + r.URL.Query().Get("prefix")
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range []string{"alice", "bob", "carol"} {
		if by != nil && strings.Contains(about, name+"/") {
			f.signed[by[1]+" asks of "+name] = true
		}
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
}

// TestX19_AccountsUseTheirOwnKeys: of three accounts on one bucket two have keys of their
// own and one has none. Each asks with what it has, in all of its sessions, and the cache
// between them tells nobody what it has told another.
func TestX19_AccountsUseTheirOwnKeys(t *testing.T) {
	f := &guest{signed: map[string]bool{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	r := prepare(t, func(cfg *configs.Config) {
		cfg.Stores["lake"] = configs.Store{Kind: configs.S3, Bucket: "b", Endpoint: server.URL, PathStyle: true, AccessKey: "GATEWAY", SecretKey: "s"}
		for _, name := range []string{"alice", "bob", "carol"} {
			u := configs.User{Name: name, Password: hash, Mounts: []configs.Mount{
				{Path: "/", Store: "lake", Prefix: name + "/", Rights: []configs.Right{configs.List, configs.Read}},
			}}
			if name != "carol" {
				u.Credentials = map[string]configs.Credentials{"lake": {AccessKey: configs.Secret(strings.ToUpper(name)), SecretKey: "s"}}
			}
			cfg.Users = append(cfg.Users, u)
		}
	})
	r.run(t)
	for range 2 {
		for _, name := range []string{"alice", "bob", "carol"} {
			c := dial(t, r.explicit, nil)
			c.login(name, password)
			c.do(550, "SIZE x")
			c.do(550, "CWD y")
		}
	}
	want := map[string]bool{"ALICE asks of alice": true, "BOB asks of bob": true, "GATEWAY asks of carol": true}
	f.mu.Lock()
	defer f.mu.Unlock()
	if fmt.Sprint(f.signed) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", f.signed, want)
	}
	if n := r.ways.ways.Len(); n != 2 {
		t.Errorf("%d ways for two accounts in two sessions each", n)
	}
}

// TestX19_WaysAreToldApart by all that makes them: the store, the credentials and what they
// are to reach.
func TestX19_WaysAreToldApart(t *testing.T) {
	cfg := configs.Default()
	bucket := configs.Store{Kind: configs.S3, Bucket: "b", Endpoint: "http://127.0.0.1:9", AccessKey: "k", SecretKey: "s"}
	cfg.Stores = map[string]configs.Store{"a": bucket, "b": bucket}
	budget, err := newBudget(cfg)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := openStores(t.Context(), cfg, commonOf(cfg, budget, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeStores(opened) })
	shown := cached(cache.New(cache.Options{}), opened)
	ids := newIdentities(cfg, opened, shown, nil)
	account := func(store, key, prefix string, role auth.Role) *auth.Account {
		return &auth.Account{
			Grants:     []auth.Grant{{Store: store, Prefix: prefix, Rights: auth.Read}},
			Identities: map[string]auth.Identity{store: {AccessKey: key, SecretKey: "s", Role: role}},
		}
	}
	role := auth.Role{ARN: "arn:aws:iam::123456789012:role/r", Session: "x"}
	seen := map[backends.Backend]int{}
	for i, a := range []*auth.Account{
		account("a", "1", "p/", auth.Role{}), account("b", "1", "p/", auth.Role{}), account("a", "2", "p/", auth.Role{}),
		account("a", "1", "q/", auth.Role{}), account("a", "1", "p/", role), account("a", "1", "q/", role),
	} {
		for store := range a.Identities {
			first, err := ids.store(t.Context(), store, a)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ids.store(t.Context(), store, a)
			if other, taken := seen[first]; err != nil || again != first || taken || first == shown[store] {
				t.Errorf("account %d: the way of account %d, or not its own again: %v", i, other, err)
			}
			seen[first] = i
		}
	}
	ids.ways.Resize(1)
	if n := ids.ways.Len(); n != 1 {
		t.Errorf("%d ways are kept of 1", n)
	}
}

// TestO8_RolesThatNoPolicyFits are told with the account and what to do.
func TestO8_RolesThatNoPolicyFits(t *testing.T) {
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"lake": {Kind: configs.S3, Bucket: "b"}}
	cfg.Users = []configs.User{{
		Name: "a*", Password: hash, Mounts: []configs.Mount{{Path: "/", Store: "lake", Prefix: "in/a*/", Rights: []configs.Right{configs.Write}}},
		Credentials: map[string]configs.Credentials{"lake": {AssumeRole: configs.AssumeRole{RoleARN: "arn:aws:iam::123456789012:role/r"}}},
	}}
	_, err := newAccounts(t.Context(), cfg, nil)
	want := "users[0].credentials.lake.assume_role: no policy of a session can say this: " +
		`in the prefix "in/a*/" one of * ? $ would stand for more than itself; give the account fewer mounts or plainer prefixes, or keys of its own`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
