//go:build e2e

package gateway

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/auth"
	"causeway/backends"
	"causeway/configs"
)

// realStores are configurations of an empty directory and of a new bucket on the S3 server
// that CAUSEWAY_TEST_S3 names.
func realStores(t *testing.T) map[string]configs.Store {
	t.Helper()
	endpoint, key, secret := os.Getenv("CAUSEWAY_TEST_S3"), os.Getenv("CAUSEWAY_TEST_S3_KEY"), os.Getenv("CAUSEWAY_TEST_S3_SECRET")
	if endpoint == "" {
		t.Fatal("CAUSEWAY_TEST_S3 is not set: it must be the URL of an S3 server, with CAUSEWAY_TEST_S3_KEY and CAUSEWAY_TEST_S3_SECRET")
	}
	bucket := "causeway-" + strings.ToLower(rand.Text())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, UsePathStyle: true, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	})
	if _, err := client.CreateBucket(t.Context(), &awss3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	return map[string]configs.Store{
		"localdir": {Kind: configs.LocalDir, Path: t.TempDir()},
		"s3": {
			Kind: configs.S3, Bucket: bucket, Region: "us-east-1", Endpoint: endpoint, PathStyle: true,
			AccessKey: configs.Secret(key), SecretKey: configs.Secret(secret),
		},
	}
}

// onRealStores runs the test on each as the gateway opens it, empty.
func onRealStores(t *testing.T, test func(t *testing.T, store backends.Backend)) {
	t.Helper()
	cfg := configs.Default()
	cfg.Stores = realStores(t)
	budget, err := newBudget(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stores, err := openStores(t.Context(), cfg, commonOf(cfg, budget, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeStores(stores); err != nil {
			t.Error(err)
		}
	})
	for name, store := range stores {
		t.Run(name, func(t *testing.T) { test(t, store) })
	}
}

// written fills keys and returns the latest time that the store tells of one.
func written(t *testing.T, store backends.Backend, keys ...string) (latest time.Time) {
	t.Helper()
	for _, key := range keys {
		fill(store, key)
	}
	for _, key := range keys {
		if since := sinceOf(t, store, key); since.After(latest) {
			latest = since
		}
	}
	return latest
}

// sinceOf is from when on the store's listing has a key as it is.
func sinceOf(t *testing.T, store backends.Backend, key string) time.Time {
	t.Helper()
	page, err := store.List(t.Context(), backends.Query{Prefix: key, Limit: 1, Fresh: true})
	if err != nil || len(page.Objects) == 0 {
		t.Fatalf("%s: %v, %v", key, page, err)
	}
	return page.Objects[0].Since()
}

// young fills the keys anew until the store's clock, which may tell only seconds, has them
// after the time.
func young(t *testing.T, store backends.Backend, after time.Time, keys ...string) {
	t.Helper()
	for _, key := range keys {
		for fill(store, key); !sinceOf(t, store, key).After(after); {
			fill(store, key)
		}
	}
}

// filesOf are the keys below a prefix, without directories and what is the gateway's own.
func filesOf(store backends.Backend, prefix string) string {
	keys := slices.DeleteFunc(keysOf(store), func(key string) bool {
		return !strings.HasPrefix(key, prefix) || strings.HasSuffix(key, "/") || strings.HasPrefix(key, backends.Reserved+"/")
	})
	return strings.ReplaceAll(strings.Join(keys, " "), prefix, "")
}

// TestS45_RetentionOnRealStores: by the store's own times, of which some are more than 30
// days ago for a clock that is that far ahead, exactly the old files of the mount go.
func TestS45_RetentionOnRealStores(t *testing.T) {
	onRealStores(t, func(t *testing.T, store backends.Backend) {
		for name, c := range map[string]struct {
			rule auth.Retention
			to   string
			want string
			logs string
		}{
			"delete": {auth.Retention{Days: 30}, "", "in/keep/a in/young in2/a other", "an old file was ended"},
			"move":   {auth.Retention{Days: 30}, "old/", "in/keep/a in/young in2/a old/a old/d/a old/taken old/taken.* other", "an old file was ended"},
			"dry":    {auth.Retention{Days: 30, DryRun: true}, "", "in/a in/d/a in/keep/a in/taken in/young in2/a other", "an old file would be ended"},
			"later":  {auth.Retention{Days: 31}, "", "in/a in/d/a in/keep/a in/taken in/young in2/a other", ""},
		} {
			t.Run(name, func(t *testing.T) {
				root := name + "/"
				at := func(keys ...string) []string {
					for i := range keys {
						keys[i] = root + keys[i]
					}
					return keys
				}
				last := written(t, store, at("in/a", "in/d/a", "in/taken", "in/keep/a", "in2/a", "other")...)
				young(t, store, last, at("in/young")...)
				if c.to != "" {
					c.rule.To = root + c.to
					fill(store, root+c.to+"taken")
				}
				var log bytes.Buffer
				r := newRetention(slog.New(slog.NewTextHandler(&log, nil)))
				r.stores = map[string]backends.Backend{"s": store}
				r.now = func() time.Time { return last.Add(time.Nanosecond).AddDate(0, 0, 30) }
				r.replace(charges([]auth.Grant{grant(root+"in/", c.rule), grant(root+"in/keep/", auth.Retention{Days: 300})}))
				r.round(t.Context(), "s")
				got := filesOf(store, root)
				if before, after, ok := strings.Cut(got, "old/taken."); ok {
					_, rest, _ := strings.Cut(after, " ")
					got = before + "old/taken.* " + rest
				}
				if got != c.want {
					t.Errorf("left are %s\nwant     %s\n%s", got, c.want, &log)
				}
				if !strings.Contains(log.String(), c.logs) || c.logs == "" && log.Len() > 0 {
					t.Errorf("the log does not tell %q:\n%s", c.logs, &log)
				}
			})
		}
	})
}
