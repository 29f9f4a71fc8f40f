package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"time"

	"causeway/auth"
	"causeway/backends"
	"causeway/backends/azblob"
	"causeway/backends/ftp"
	"causeway/backends/gcs"
	"causeway/backends/localdir"
	"causeway/backends/multipart"
	"causeway/backends/s3"
	"causeway/cache"
	"causeway/configs"
)

// provider is what the gateway knows of one kind of store.
type provider struct {
	open func(context.Context, configs.Store, common) (backends.Backend, error)
	// as is another way to an opened store, for an account that it knows apart; nil for
	// stores that cannot.
	as func(context.Context, backends.Backend, auth.Identity, []auth.Grant) (backends.Backend, error)
	// judge tells what keeps an account from having a session of a role.
	judge func(configs.Store, auth.Identity, []auth.Grant) error
	// grant names what the operator has to allow for each permission.
	grant map[permission]string
	// tree tells that a directory is there, and has its marker, while nobody has removed it.
	tree bool
	// parts is the directory at the bucket's root, ending in "/", to which uploads in parts
	// write them as objects; "" for a store that keeps parts by itself.
	parts string
	// sparing says that nothing is tried on the store that no mount needs: it is somebody
	// else's.
	sparing bool
	// remedy is the key to mend, "" for none in particular, and what to write, if a store
	// cannot be opened though nothing wrong can be seen in its configuration.
	remedy func(configs.Store) (key, right string)
}

// common is what a gateway's stores share.
type common struct {
	budget *multipart.Budget
	window time.Duration // after which uploads that nobody goes on with are ended
	spool  string        // a folder for temporary files; "" is the system's
	log    *slog.Logger

	// leftOut, if set, hears of what a listing of a directory does not show, and tells whether it
	// is to be logged.
	leftOut func(dir string, lines ftp.LeftOut) bool
}

// commonOf is what the configuration says of it.
func commonOf(cfg *configs.Config, budget *multipart.Budget, log *slog.Logger) common {
	return common{budget: budget, window: cfg.Uploads.ResumeWindow, spool: cfg.Spool.Dir, log: log}
}

// providers are all kinds of store. A new one is a row here.
func providers() map[configs.Kind]provider {
	return map[configs.Kind]provider{
		configs.LocalDir:  localDir(),
		configs.S3:        s3Store(),
		configs.GCS:       gcsStore(),
		configs.AzureBlob: azureBlob(),
		configs.FTP:       ftpServer(),
	}
}

func localDir() provider {
	return provider{
		open: func(_ context.Context, c configs.Store, _ common) (backends.Backend, error) {
			return localdir.New(c.Path)
		},
		tree: true,
		grant: map[permission]string{
			put:     "write and search permission on the directory to the gateway's user",
			list:    "read and search permission on the directory to the gateway's user",
			get:     "read permission on the files to the gateway's user",
			discard: "write and search permission on the directory to the gateway's user",
			parks:   "write and search permission on the directory to the gateway's user",
		},
		remedy: func(configs.Store) (key, right string) {
			return "path", "name a directory that the gateway's user may read and write"
		},
	}
}

func s3Store() provider {
	return provider{
		open: func(ctx context.Context, c configs.Store, shared common) (backends.Backend, error) {
			return s3.New(ctx, s3.Config{
				Bucket: c.Bucket, Region: c.Region, Endpoint: c.Endpoint, PathStyle: c.PathStyle,
				AccessKey: c.AccessKey.Reveal(), SecretKey: c.SecretKey.Reveal(), Budget: shared.budget,
			})
		},
		as:    asS3,
		judge: judgeS3,
		grant: map[permission]string{
			put:     "s3:PutObject and s3:AbortMultipartUpload on the objects",
			list:    "s3:ListBucket on the bucket",
			get:     "s3:GetObject on the objects",
			discard: "s3:DeleteObject on the objects",
			parks: "s3:PutObject, s3:GetObject and s3:DeleteObject on .causeway/uploads/*, s3:ListBucket on the bucket, " +
				"and s3:ListMultipartUploadParts on the objects",
		},
		remedy: func(c configs.Store) (key, right string) {
			switch {
			case c.Region != "" || c.Endpoint != "":
			case c.AccessKey != "": // the environment is not asked
				return "region", "write the bucket's region, such as eu-central-1"
			default:
				return "region", "write the bucket's region, such as eu-central-1, or set AWS_REGION"
			}
			return "", "mend the SDK's shared configuration files, or set access_key and secret_key"
		},
	}
}

// asS3 is a bucket with an account's keys, or with a session of a role that is cut to what
// it is granted.
func asS3(ctx context.Context, b backends.Backend, id auth.Identity, grants []auth.Grant) (backends.Backend, error) {
	bucket, ok := b.(*s3.Store)
	if !ok {
		return nil, fmt.Errorf("it is a %T", b)
	}
	if id.Role.ARN == "" {
		return bucket.As(ctx, s3.Identity{AccessKey: id.AccessKey, SecretKey: id.SecretKey})
	}
	return bucket.As(ctx, s3.Identity{Role: &s3.Role{
		ARN: id.Role.ARN, Endpoint: id.Role.Endpoint, ExternalID: id.Role.ExternalID, Session: id.Role.Session,
		Access: accessOf(grants),
	}})
}

// asGCS is a bucket with an account's service account, or whoever its file is of.
func asGCS(ctx context.Context, b backends.Backend, id auth.Identity, _ []auth.Grant) (backends.Backend, error) {
	bucket, ok := b.(*gcs.Store)
	if !ok {
		return nil, fmt.Errorf("it is a %T", b)
	}
	return bucket.As(ctx, id.CredentialsFile)
}

// asAzure is a container with an account's shared access signature.
func asAzure(_ context.Context, b backends.Backend, id auth.Identity, _ []auth.Grant) (backends.Backend, error) {
	container, ok := b.(*azblob.Store)
	if !ok {
		return nil, fmt.Errorf("it is a %T", b)
	}
	return container.As(id.SASToken)
}

func judgeS3(store configs.Store, id auth.Identity, grants []auth.Grant) error {
	return s3.JudgeRole(store.Bucket, s3.Role{ARN: id.Role.ARN, Access: accessOf(grants)})
}

// accessOf is what rights take of a bucket. To look at a file takes what reading it takes:
// S3 has no action for less.
func accessOf(grants []auth.Grant) []s3.Access {
	access := make([]s3.Access, len(grants))
	for i, g := range grants {
		has := func(any auth.Right) bool { return g.Rights&any != 0 }
		access[i] = s3.Access{
			Prefix: g.Prefix,
			List:   has(auth.List | auth.Delete | auth.Rename),
			Read:   has(^(auth.Write | auth.Mkdir)),
			Write:  has(auth.Write | auth.Overwrite | auth.Mkdir),
			Delete: has(auth.Delete | auth.Rename),
			Rename: has(auth.Rename),
		}
	}
	return access
}

func gcsStore() provider {
	return provider{
		open: func(ctx context.Context, c configs.Store, shared common) (backends.Backend, error) {
			return gcs.New(ctx, gcs.Config{Bucket: c.Bucket, CredentialsFile: c.CredentialsFile, Endpoint: c.Endpoint, Budget: shared.budget})
		},
		as: asGCS,
		grant: map[permission]string{
			put:     "storage.objects.create, and storage.objects.delete to overwrite",
			list:    "storage.objects.list",
			get:     "storage.objects.get",
			discard: "storage.objects.delete",
			parks:   "storage.objects.create, get, list and delete below .causeway/",
		},
		parts: backends.Reserved + "/parts/",
		remedy: func(c configs.Store) (key, right string) {
			if c.CredentialsFile != "" {
				return "credentials_file", "name the JSON file as the service issued it"
			}
			return "credentials_file", "name a service account's JSON file, or set GOOGLE_APPLICATION_CREDENTIALS"
		},
	}
}

func azureBlob() provider {
	return provider{
		open: func(ctx context.Context, c configs.Store, shared common) (backends.Backend, error) {
			return azblob.New(ctx, azblob.Config{
				Account: c.Account, Container: c.Container, AccountKey: c.AccountKey.Reveal(), Endpoint: c.Endpoint,
				Budget: shared.budget, ResumeWindow: shared.window,
			})
		},
		as: asAzure,
		grant: map[permission]string{
			put:     "Microsoft.Storage/…/blobs/write (Storage Blob Data Contributor)",
			list:    "Microsoft.Storage/…/blobs/read (Storage Blob Data Reader)",
			get:     "Microsoft.Storage/…/blobs/read (Storage Blob Data Reader)",
			discard: "Microsoft.Storage/…/blobs/delete (Storage Blob Data Contributor)",
			parks:   "Microsoft.Storage/…/blobs/read, write and delete below .causeway/uploads/ (Storage Blob Data Contributor)",
		},
		remedy: func(configs.Store) (key, right string) {
			return "account_key", "write one of the account's access keys, or set up an identity for the SDK's default chain"
		},
	}
}

// newBudget makes the buffers of all stores, and of what is read ahead from them.
func newBudget(cfg *configs.Config) (*multipart.Budget, error) {
	var spool *multipart.Spool
	if cfg.Spool.Dir != "" {
		var err error
		if spool, err = multipart.NewSpool(cfg.Spool.Dir, int64(cfg.Spool.Bytes)); err != nil {
			return nil, cfg.Problem("spool.dir", "cannot be used: "+cause(err), "name a folder that exists and can be written")
		}
	}
	return multipart.NewBudget(int64(cfg.Limits.Buffers), spool), nil
}

// openStores opens every store of the configuration, once each.
func openStores(ctx context.Context, cfg *configs.Config, shared common) (map[string]backends.Backend, error) {
	kinds := providers()
	stores := make(map[string]backends.Backend, len(cfg.Stores))
	for _, name := range slices.Sorted(maps.Keys(cfg.Stores)) {
		store := cfg.Stores[name]
		b, err := kinds[store.Kind].open(ctx, store, shared)
		if err != nil {
			return nil, errors.Join(openProblem(cfg, name, err), closeStores(stores))
		}
		stores[name] = b
	}
	return stores, nil
}

// openProblem locates what keeps a store from being opened.
func openProblem(cfg *configs.Config, name string, err error) error {
	store := cfg.Stores[name]
	key, right := providers()[store.Kind].remedy(store)
	field := "stores." + name
	if key != "" {
		field += "." + key
	}
	return cfg.Problem(field, "the store cannot be opened: "+err.Error(), right)
}

// cause is what the system says of a file, without the kind that a store made of it.
func cause(err error) string {
	var file *fs.PathError
	if errors.As(err, &file) {
		return file.Err.Error()
	}
	return err.Error()
}

// closeStores closes those that hold something open.
func closeStores(stores map[string]backends.Backend) error {
	var err error
	for _, b := range stores {
		if c, ok := b.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}

// newCache is nil where the configuration turns it off.
func newCache(cfg *configs.Config) *cache.Cache {
	if cfg.Cache.TTL == 0 {
		return nil
	}
	return cache.New(cache.Options{TTL: cfg.Cache.TTL, Entries: cfg.Cache.Entries, Bytes: int64(cfg.Cache.Bytes)})
}

// cached puts one metadata cache in front of all stores, if there is one.
func cached(memory *cache.Cache, stores map[string]backends.Backend) map[string]backends.Backend {
	if memory == nil {
		return stores
	}
	decorated := make(map[string]backends.Backend, len(stores))
	for name, b := range stores {
		decorated[name] = memory.Backend(b)
	}
	return decorated
}
