package gateway

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/configs"
)

// TestS52_StoresThatCannotBeOpened: what only opening shows is told with field and remedy.
func TestS52_StoresThatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "file", "not a directory, and no credentials")
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "none"))
	for name, c := range map[string]struct {
		store configs.Store
		spool string
		field string
		right string
	}{
		"no region":   {store: configs.Store{Kind: configs.S3, Bucket: "b"}, field: "stores.x.region", right: "write the bucket's region, such as eu-central-1, or set AWS_REGION"},
		"keys alone":  {store: configs.Store{Kind: configs.S3, Bucket: "b", AccessKey: "a", SecretKey: "s"}, field: "stores.x.region", right: "write the bucket's region, such as eu-central-1"},
		"credentials": {store: configs.Store{Kind: configs.GCS, Bucket: "b", CredentialsFile: file}, field: "stores.x.credentials_file", right: "name the JSON file as the service issued it"},
		"file":        {store: configs.Store{Kind: configs.LocalDir, Path: file}, field: "stores.x.path", right: "name a directory that the gateway's user may read and write"},
		"spool": {store: configs.Store{Kind: configs.LocalDir, Path: filepath.Join(dir, "data")}, spool: filepath.Join(dir, "none"),
			field: "spool.dir", right: "name a folder that exists and can be written"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configs.Default()
			cfg.Stores = map[string]configs.Store{"x": c.store}
			cfg.Spool = configs.Spool{Dir: c.spool, Bytes: configs.GiB}
			var stores map[string]backends.Backend
			budget, err := newBudget(cfg)
			if err == nil {
				stores, err = openStores(t.Context(), cfg, commonOf(cfg, budget, slog.New(slog.DiscardHandler)))
			}
			var p *configs.Problem
			if !errors.As(err, &p) {
				t.Fatalf("got %v, %v", stores, err)
			}
			if p.Field != c.field || p.Right != c.right || strings.Contains(p.Wrong, "unavailable") {
				t.Errorf("got %v", p)
			}
		})
	}
}
