// Package s3 is the store for AWS S3 and the servers that speak its protocol (MinIO,
// versitygw, Ceph and others). It is not a general client: it knows one bucket, never
// lists buckets, never uses a request that only some servers know (RenameObject), and asks
// for nothing that a store could answer by guessing.
//
// Its central type is [Store]. What it relies on, and where servers differ:
//
//   - PutObject and CompleteMultipartUpload honour If-Match and If-None-Match everywhere.
//     CopyObject honours them only on AWS, so elsewhere a conditional copy is a multipart
//     upload of one copied part. DeleteObject honours If-Match on AWS and on some servers;
//     elsewhere the object is looked at first, which leaves a moment for a race.
//   - A HEAD of what is not there answers 403 to credentials without ListBucket. That is
//     fs.ErrPermission here, as everywhere.
//   - An upload is known by the id in the answer to CreateMultipartUpload. If the network
//     loses that answer, an upload without parts stays, which costs nothing; a lifecycle rule
//     of the bucket (AbortIncompleteMultipartUpload) removes it. All others have a record in
//     the bucket (package journal), which parked and orphaned uploads are found by. Where
//     the credentials may not write it, uploads work and cannot be parked.
//   - Part numbers may have gaps, and what CompleteMultipartUpload does not name is dropped:
//     so what a writer sends that has lost its upload never gets into an object.
//   - There is no rename: backends.Move composes it of Copy and Delete.
//   - ETags are opaque, with their quotation marks taken off.
package s3

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

const (
	// quick bounds calls that carry no content, with all their tries.
	quick = 10 * time.Second
	// listTime bounds the making of a page, for which some servers walk many keys.
	listTime = 30 * time.Second
	// slow bounds calls after which the server copies or joins content by itself: least
	// whatever it is, and time for its octets at 16 MiB/s.
	slowLeast, slowMost = 30 * time.Second, 10 * time.Minute
	slowRate            = 16 << 20
)

// Config says which bucket and how to reach it. Bucket and Budget are required.
type Config struct {
	Bucket   string
	Region   string // "" for the environment's, or us-east-1 where Endpoint is set
	Endpoint string // URL of a compatible server, "" for AWS

	PathStyle bool // bucket in the path, not in the host name; most compatible servers want it

	// Both empty for the SDK's default chain: environment, shared files, workload
	// identity, instance role.
	AccessKey, SecretKey string

	Budget *multipart.Budget // shared by all stores of the process
}

// Store is one bucket. It is a backends.Backend, backends.Copier and backends.Parker and
// safe for concurrent use.
type Store struct {
	base   s3.Options // that client was made with
	client *s3.Client
	lean   *lean                // beside client
	wire   *transport.Transport // of client
	bucket string
	aws    bool // not a compatible server
	budget *multipart.Budget
	limits multipart.Options // of uploads

	identity identity // around wire
	journal  *journal.Journal
	least    int64        // octets of any part but the last
	blind    atomic.Int64 // when denied is forgotten, in nanoseconds since 1970
	pages    sync.Pool    // of *bytes.Buffer, for the answers to listings
}

// New opens the bucket. It makes no request to it, but may ask the environment for the
// region and for credentials, which is why it needs ctx.
func New(ctx context.Context, c Config) (*Store, error) {
	if c.Bucket == "" || c.Budget == nil {
		return nil, errors.New("s3: a bucket and a buffer budget are required")
	}
	o, err := options(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Store{
		wire: transport.New(), bucket: c.Bucket, aws: c.Endpoint == "", budget: c.Budget,
		limits: multipart.Options{PartSize: partSize, MaxPartSize: maxPartSize, MaxParts: maxParts, InFlight: inFlight, Turns: multipart.NewTurns()},
		least:  leastPart,
	}
	s.journal = journal.New(s)
	s.connect(ctx, o)
	return s, nil
}

// connect makes the clients.
func (s *Store) connect(ctx context.Context, o s3.Options) {
	s.identity.next = s.wire
	o.HTTPClient = client(&s.identity)
	s.base = o
	s.client = s3.New(o)
	s.lean = newLean(ctx, s.client, s.bucket, &s.identity)
}

// Close closes idle connections. Uploads and readers must have ended.
func (s *Store) Close() error {
	s.wire.CloseIdleConnections()
	return nil
}

// slow is how long the server may take to copy or join so many octets.
func slow(size int64) time.Duration {
	return min(slowLeast+time.Duration(size/slowRate)*time.Second, slowMost)
}

// within is the option of calls that the server may take up to d to answer.
func (s *Store) within(d time.Duration) func(*s3.Options) {
	return func(o *s3.Options) { o.HTTPClient = client(s.wire.Patient(d)) }
}

// Stat is [backends.Backend.Stat] by a HEAD, which always tells all.
func (s *Store) Stat(ctx context.Context, key string, _ backends.StatOptions) (backends.Object, error) {
	out, err := s.head(ctx, "stat", key, "")
	if err != nil {
		return backends.Object{}, err
	}
	return headed(key, out), nil
}

// head asks for the description of the object, of a certain version if ifMatch is set.
func (s *Store) head(ctx context.Context, op, key, ifMatch string) (*s3.HeadObjectOutput, error) {
	if !backends.ValidKey(key) {
		return nil, invalid(op, key)
	}
	ctx, cancel := bounded(ctx, quick)
	defer cancel()
	out, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &key, IfMatch: quoted(ifMatch)})
	if err != nil {
		return nil, failed(ctx, call{op: op, key: key, ifMatch: ifMatch != "", reads: true}, err)
	}
	return out, nil
}

var (
	_ backends.Backend = (*Store)(nil)
	_ backends.Copier  = (*Store)(nil)
	_ backends.Parker  = (*Store)(nil)
)
