// Package azblob is Azure Blob Storage as a store. One container is one Backend, its
// objects are block blobs.
//
// An upload that ends within its first part is one Put Blob. A larger one is noted in the
// container's journal (package journal), stages blocks, whose ids hold a nonce of the
// attempt and the block's number, and commits their list. What is parked is blocks that
// nobody has committed; who resumes it stages blocks with a nonce of their own, so that no
// late writer's blocks ever get among them. Who appends commits the blocks of the object
// and new ones, on condition that it is the same version; what blocks cannot be kept (of
// one Put Blob, of other programs, cut in the middle) the service copies, or where it cannot
// they are read and sent again.
//
// The service keeps blocks that were staged for seven days or until the next commit of that
// name, whoever makes it; there is no request that ends them and leaves the name alone. So
// an upload that was aborted or discarded leaves its blocks to the service, which bills them
// until then; and a commit by another writer takes the blocks of an upload that is under way
// (its own commit fails with ErrChanged then) or parked (it cannot be resumed).
//
// Blobs made of blocks have no MD5. Copies up to 256 MiB are one request of the service;
// larger ones stage ranges of the source as blocks, which becomes visible at once as well.
// (The service's asynchronous copy is not used: it shows the destination before it is
// complete.)
//
// Names that the service or its URLs would take for another are refused: with a
// backslash, a control character, or a segment that ends in a dot. Accounts with a
// hierarchical namespace, which have directories of their own, are not provided for.
//
// Its central type is [Store].
package azblob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"causeway/backends"
	"causeway/backends/journal"
	"causeway/backends/multipart"
	"causeway/backends/transport"
)

// Config says which container, and as whom. Account, Container and Budget are required.
type Config struct {
	Account   string
	Container string
	// AccountKey is one of the account's two keys, in base64. "" takes the default chain
	// (environment, workload identity, managed identity, Azure CLI).
	AccountKey string
	// Endpoint is the URL of the account, "" for https://ACCOUNT.blob.core.windows.net/.
	// Azurite's is http://127.0.0.1:10000/devstoreaccount1.
	Endpoint string
	// Budget is the memory for uploads, shared with other stores.
	Budget *multipart.Budget
	// ResumeWindow is the age at which other gateways on the container end an upload of which
	// no sign of life is seen. 0 is taken for long.
	ResumeWindow time.Duration
}

// Store is one container. It is a [backends.Backend], a [backends.Copier] and a
// [backends.Parker]. All its
// methods may be called from any goroutine.
type Store struct {
	container *container.Client
	token     azcore.TokenCredential // nil with an account key or a signature
	signed    bool                   // all addresses have a shared access signature
	transport *transport.Transport
	budget    *multipart.Budget
	turns     *multipart.Turns // of uploads
	journal   *journal.Journal
	limits    limits
}

// New makes a Store. It makes no request; an error says what of c is wrong. It takes a
// context because the constructors of all stores do.
func New(_ context.Context, c Config) (*Store, error) {
	if c.Account == "" || c.Container == "" || c.Budget == nil {
		return nil, errors.New("azblob: an account, a container and a buffer budget are required")
	}
	address, err := containerURL(c)
	if err != nil {
		return nil, err
	}
	s := &Store{transport: transport.New(), budget: c.Budget, turns: multipart.NewTurns(), limits: defaultLimits()}
	if c.ResumeWindow > 0 {
		s.limits.touch = min(s.limits.touch, c.ResumeWindow/signs)
	}
	s.journal = journal.New(s)
	options := &container.ClientOptions{ClientOptions: s.clientOptions()}
	if c.AccountKey != "" {
		key, err := container.NewSharedKeyCredential(c.Account, c.AccountKey)
		if err != nil {
			return nil, fmt.Errorf("azblob: account key: %w", err)
		}
		s.container, err = container.NewClientWithSharedKeyCredential(address, key, options)
		return s, err
	}
	if s.token, err = azidentity.NewDefaultAzureCredential(nil); err != nil {
		return nil, fmt.Errorf("azblob: no credentials: %w", err)
	}
	s.container, err = container.NewClient(address, s.token, options)
	return s, err
}

// As is the same container for another who asks, with a shared access signature for it: the
// query of a signed URL, with or without the question mark
// (learn.microsoft.com/rest/api/storageservices/delegate-access-with-shared-access-signature).
// It shares connections, bounds and the knowledge of what this process is writing with s, and
// no credentials; s, not it, is to be closed. It makes no request.
func (s *Store) As(signature string) (*Store, error) {
	signature = strings.TrimPrefix(signature, "?")
	if signature == "" {
		return nil, errors.New("azblob: no shared access signature")
	}
	as := &Store{signed: true, transport: s.transport, budget: s.budget, turns: s.turns, limits: s.limits}
	var err error
	as.container, err = container.NewClientWithNoCredential(s.container.URL()+"?"+signature, &container.ClientOptions{ClientOptions: as.clientOptions()})
	if err != nil {
		return nil, errors.New("azblob: the shared access signature makes no address") // the error's own words hold it
	}
	as.journal = s.journal.Through(as)
	return as, nil
}

func containerURL(c Config) (string, error) {
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = "https://" + c.Account + ".blob.core.windows.net/"
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("azblob: endpoint: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" {
		return "", fmt.Errorf("azblob: endpoint %q: want http(s)://host[:port][/account]", endpoint)
	}
	return u.JoinPath(c.Container).String(), nil
}

// Close closes idle connections. Uploads and readers must have ended.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// clientOptions leave the retries to package transport.
func (s *Store) clientOptions() policy.ClientOptions {
	return policy.ClientOptions{
		Transport: &http.Client{Transport: s.transport},
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{ApplicationID: "causeway"},
	}
}

func (s *Store) blob(key string) *blob.Client           { return s.container.NewBlobClient(key) }
func (s *Store) blockBlob(key string) *blockblob.Client { return s.container.NewBlockBlobClient(key) }

// validKey tells whether key is a blob's name that no other name is taken for
// (learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).
func validKey(key string) bool {
	if !backends.ValidKey(key) || strings.ContainsFunc(key, odd) {
		return false
	}
	return !slices.ContainsFunc(strings.Split(key, "/"), func(segment string) bool {
		return strings.HasSuffix(segment, ".")
	})
}

// odd tells runes that become others on the way (backslash), or that the XML of a listing
// cannot hold.
func odd(r rune) bool {
	return r < ' ' || r == '\\' || r == 0x7f || r == 0xfffe || r == 0xffff
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
	_ backends.Parker  = (*Store)(nil)
)
