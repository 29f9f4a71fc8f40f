// Package gcs is Google Cloud Storage as a store. One bucket is one Backend. It speaks the
// JSON API through cloud.google.com/go/storage, and reads contents through the XML API,
// which alone tells the metadata along with them.
//
// The ETag of an object is its generation in decimal. Changing only the metadata keeps it.
//
// An upload that ends within its first part is one request. A larger one writes each part
// as an object below ".causeway/parts/" of the bucket, composes these into the object and
// deletes them; a record (package journal) is there meanwhile, so that it can be parked and
// another gateway may go on with it. An append composes the object that is there and what
// is new. Composed objects have a CRC32C and no MD5. What this asks of the bucket and the
// credentials:
//   - storage.objects.create alone is enough for files of one part that replace nothing;
//     composing needs storage.objects.get and .delete as well, what is parked is found by
//     storage.objects.list.
//   - A bucket with soft delete keeps, and bills, deleted parts for its retention period; one
//     with a retention policy does not let them be deleted. Neither suits large uploads.
//
// Names are what the service takes: no CR or LF, not "." or "..", not below
// ".well-known/acme-challenge/".
//
// Its central type is [Store].
package gcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
	"cloud.google.com/go/storage"
	"google.golang.org/api/option"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// defaultEndpoint is the service's own address.
const defaultEndpoint = "https://storage.googleapis.com"

// scope is the permission asked for: to read and write objects and their metadata.
const scope = storage.ScopeReadWrite

// Config says which bucket, and as whom. Bucket and Budget are required.
type Config struct {
	Bucket string
	// CredentialsFile is a JSON file as the service issues it. "" takes the default chain
	// (environment, gcloud's file, the instance's own identity), or no credentials at all
	// if Endpoint is set.
	CredentialsFile string
	// Endpoint is the base URL of another server of the same protocol, as
	// "http://127.0.0.1:4443"; "" for the service itself.
	Endpoint string
	// Budget is the memory for uploads, shared with other stores.
	Budget *multipart.Budget
}

// Store is one bucket. It is a [backends.Backend], [backends.Copier], [backends.Mover] and
// [backends.Parker].
// All its methods may be called from any goroutine.
type Store struct {
	bucket *storage.BucketHandle
	name   string
	client *http.Client // authenticated
	wire   *transport.Transport
	base   url.URL // of the XML API
	budget *multipart.Budget
	turns  *multipart.Turns // of uploads
	parts  partSizes

	journal *journal.Journal // in the same bucket

	// reached is set once the bucket has answered: a 404 is an object's from then on.
	reached atomic.Bool
}

// New makes a Store. It makes no request to the bucket, but reads credentials; an error
// says what is missing.
func New(ctx context.Context, c Config) (*Store, error) {
	if c.Bucket == "" || c.Budget == nil {
		return nil, errors.New("gcs: a bucket and a buffer budget are required")
	}
	base, err := parseEndpoint(c.Endpoint)
	if err != nil {
		return nil, err
	}
	s := &Store{
		name: c.Bucket, wire: transport.New(), base: *base,
		budget: c.Budget, turns: multipart.NewTurns(), parts: defaultParts(),
	}
	if err := s.connect(ctx, c.CredentialsFile); err != nil {
		return nil, err
	}
	s.journal = journal.New(s)
	return s, nil
}

// As is the same bucket for another who asks, with the credentials of a file as
// [Config.CredentialsFile] says. It shares connections, bounds and the knowledge of what this
// process is writing with s, and no credentials; s, not it, is to be closed. It reads the
// file and makes no request.
func (s *Store) As(ctx context.Context, credentialsFile string) (*Store, error) {
	if credentialsFile == "" {
		return nil, errors.New("gcs: no credentials file")
	}
	as := &Store{name: s.name, wire: s.wire, base: s.base, budget: s.budget, turns: s.turns, parts: s.parts}
	if err := as.connect(ctx, credentialsFile); err != nil {
		return nil, err
	}
	as.journal = s.journal.Through(as)
	return as, nil
}

// connect makes the clients of a store.
func (s *Store) connect(ctx context.Context, credentialsFile string) error {
	var err error
	if s.client, err = s.authenticated(credentialsFile); err != nil {
		return err
	}
	// The HTTP client authenticates; the SDK must not look for credentials again.
	sdk, err := storage.NewClient(ctx, option.WithHTTPClient(s.client), option.WithoutAuthentication(),
		option.WithEndpoint(s.base.JoinPath("storage/v1").String()+"/"), option.WithUserAgent("causeway"))
	if err != nil {
		return fmt.Errorf("gcs: %w", err)
	}
	sdk.SetRetry(storage.WithPolicy(storage.RetryNever)) // package transport retries
	s.bucket = sdk.Bucket(s.name)
	return nil
}

// Close closes idle connections. Uploads and readers must have ended.
func (s *Store) Close() error {
	s.wire.CloseIdleConnections()
	return nil
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		endpoint = defaultEndpoint
	}
	u, err := url.Parse(strings.TrimSuffix(endpoint, "/"))
	if err != nil {
		return nil, fmt.Errorf("gcs: endpoint: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("gcs: endpoint %q: want http(s)://host[:port]", endpoint)
	}
	return u, nil
}

// authenticated makes the one HTTP client of a store.
func (s *Store) authenticated(credentialsFile string) (*http.Client, error) {
	client := &http.Client{Transport: s.wire}
	if credentialsFile == "" && s.base.String() != defaultEndpoint {
		return client, nil
	}
	options := &credentials.DetectOptions{Scopes: []string{scope}, CredentialsFile: credentialsFile} //nolint:staticcheck // deprecated for files from strangers; this one is the operator's, and any of its types is welcome
	creds, err := credentials.DetectDefault(options)
	if err != nil {
		return nil, fmt.Errorf("gcs: no credentials: %w", err)
	}
	return client, httptransport.AddAuthorizationMiddleware(client, creds)
}

// validKey tells whether the service takes key as a name
// (cloud.google.com/storage/docs/objects#naming).
func validKey(key string) bool {
	return backends.ValidKey(key) && !strings.ContainsAny(key, "\r\n") &&
		key != "." && key != ".." && !strings.HasPrefix(key, ".well-known/acme-challenge/")
}

// check refuses keys that cannot be one.
func check(op string, keys ...string) error {
	for _, key := range keys {
		if !validKey(key) {
			return &backends.Error{Op: op, Key: key, Kind: fs.ErrInvalid}
		}
	}
	return nil
}

var (
	_ backends.Backend = (*Store)(nil)
	_ backends.Copier  = (*Store)(nil)
	_ backends.Mover   = (*Store)(nil)
	_ backends.Parker  = (*Store)(nil)
	_ journal.Store    = (*Store)(nil)
)
