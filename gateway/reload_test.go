package gateway

import (
	"slices"
	"strings"
	"testing"

	"causeway/configs"
)

// TestReload: what has changed counts for who logs in then; sessions go on, and end where
// their account does. What takes a restart is told and stays.
func TestReload(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	idle, leaving := dial(t, r.explicit, nil), dial(t, r.explicit, nil)
	idle.login("cam1", password)
	leaving.login("cam1", password)
	next := *r.cfg
	next.Users = append(slices.Clone(r.cfg.Users), configs.User{Name: "cam2", Password: hash, Mounts: r.cfg.Users[0].Mounts})
	next.Limits.Sessions++
	if err := r.Reload(t.Context(), &next); err != nil {
		t.Fatal(err)
	}
	added := dial(t, r.explicit, nil)
	added.login("cam2", password)
	idle.do(257, "PWD")
	for _, want := range []string{`"changed":"[users]"`, `"key":"limits.sessions"`} {
		if strings.Count(r.log.String(), want) != 1 {
			t.Errorf("the log has no %s:\n%s", want, r.log)
		}
	}
	next.Users = next.Users[1:]
	if err := r.Reload(t.Context(), &next); err != nil {
		t.Fatal(err)
	}
	leaving.do(421, "PWD")
	added.do(257, "PWD")
}

// TestBrokenReloadChangesNothing, neither the accounts nor the certificate.
func TestBrokenReloadChangesNothing(t *testing.T) {
	t.Parallel()
	chain, key := rsaCertificate(t)
	r := start(t, func(cfg *configs.Config) {
		cfg.TLS = configs.TLS{Certificate: chain, Key: key, MinVersion: "1.2", SessionReuse: configs.ReuseOffered}
	})
	before, shown := r.accounts.Load(), r.shown.current.Load()
	for name, spoil := range map[string]func(*configs.Config){
		"accounts[0].file": func(cfg *configs.Config) {
			cfg.Accounts = []configs.AccountSource{{File: "none.yaml"}}
		},
		"tls.certificate":          func(cfg *configs.Config) { cfg.TLS.Certificate = "none.pem" },
		"users[0].mounts[0].store": func(cfg *configs.Config) { cfg.Users = []configs.User{{Mounts: []configs.Mount{{Store: "new"}}}} },
	} {
		next := *r.cfg
		spoil(&next)
		if err := r.Reload(t.Context(), &next); err == nil || !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s: got %v", name, err)
		}
		if r.accounts.Load() != before || r.shown.current.Load() != shown {
			t.Errorf("%s: something has changed", name)
		}
	}
	next := *r.cfg
	next.TLS.Certificate, next.TLS.Key = rsaCertificate(t)
	if err := r.Reload(t.Context(), &next); err != nil || r.shown.current.Load() == shown {
		t.Errorf("another certificate: %v", err)
	}
}
