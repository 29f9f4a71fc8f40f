//go:build e2e

package e2e

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"causeway/e2e/stores"
)

// bucket reaches a store without the gateway, to see what really is there.
type bucket interface {
	read(ctx context.Context, key string) ([]byte, error) // fs.ErrNotExist if there is none
	write(ctx context.Context, key string, data []byte) error
	keys(ctx context.Context, prefix string) ([]string, error) // in byte order
	// begun names what is kept, invisibly or under the reserved name, of uploads that were
	// begun and neither completed nor ended.
	begun(ctx context.Context) ([]string, error)
}

// reserved is the prefix that no client reaches, where the gateway may keep what it needs.
const reserved = ".causeway/"

// namedBucket is a bucket with the name of its kind and its entry in a
// configuration's `stores`.
type namedBucket struct {
	bucket
	kind   string
	config string
}

// newBuckets makes one bucket in each store.
func newBuckets(ctx context.Context, servers *stores.Set, dir string) ([]*namedBucket, error) {
	local, err := newLocalBucket(dir)
	if err != nil {
		return nil, err
	}
	s3, err := newS3Bucket(ctx, servers.S3)
	if err != nil {
		return nil, err
	}
	gcs, err := newGCSBucket(ctx, servers.GCS)
	if err != nil {
		return nil, err
	}
	azure, err := newAzureBucket(ctx, servers.Azure)
	if err != nil {
		return nil, err
	}
	return []*namedBucket{local, s3, gcs, azure}, nil
}

// bucketOf returns the shared bucket of a kind.
func bucketOf(kind string) *namedBucket {
	i := slices.IndexFunc(shared.buckets, func(b *namedBucket) bool { return b.kind == kind })
	return shared.buckets[i]
}

// bucketName is a name that must never reach a client: see canary.
func bucketName() string { return canary + "-" + random(4) }

// random returns 2n hexadecimal digits.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// localBucket is the embedded store: a directory whose files are the objects.
type localBucket struct{ root string }

func newLocalBucket(dir string) (*namedBucket, error) {
	root := filepath.Join(dir, bucketName())
	return &namedBucket{localBucket{root}, "localdir", "{kind: localdir, path: " + quote(root) + "}"}, os.Mkdir(root, 0o700)
}

func (b localBucket) read(_ context.Context, key string) ([]byte, error) {
	if strings.HasSuffix(key, "/") {
		info, err := os.Stat(filepath.Join(b.root, key))
		if err == nil && !info.IsDir() {
			err = fs.ErrNotExist
		}
		return nil, err
	}
	return os.ReadFile(filepath.Join(b.root, key))
}

func (b localBucket) write(_ context.Context, key string, data []byte) error {
	path := filepath.Join(b.root, key)
	if strings.HasSuffix(key, "/") {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}

func (b localBucket) keys(_ context.Context, prefix string) ([]string, error) {
	return b.walk(func(key string) bool {
		return strings.HasPrefix(key, prefix) && !strings.HasPrefix(key, reserved)
	})
}

// begun is every file below the reserved folder: an upload is one until it gets its name.
func (b localBucket) begun(context.Context) ([]string, error) {
	return b.walk(func(key string) bool {
		return strings.HasPrefix(key, reserved) && !strings.HasSuffix(key, "/")
	})
}

func (b localBucket) walk(take func(key string) bool) ([]string, error) {
	var keys []string
	err := filepath.WalkDir(b.root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone since its directory was read
		}
		if err != nil || path == b.root {
			return err
		}
		key, err := filepath.Rel(b.root, path)
		if entry.IsDir() {
			key += "/"
		}
		if take(key) {
			keys = append(keys, key)
		}
		return err
	})
	slices.Sort(keys)
	return keys, err
}
