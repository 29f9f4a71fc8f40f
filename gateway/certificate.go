package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"causeway/configs"
)

// pollCertificate is how often the files of the certificate are looked at: they are small,
// and whoever renews one waits for nothing.
const pollCertificate = 2 * time.Second

// certificate is what TLS shows to clients. It is read again when its files change; as long
// as they do not belong together, as in the middle of a change, the old one stays.
type certificate struct {
	log     *slog.Logger
	current atomic.Pointer[tls.Certificate]

	mu        sync.Mutex // guards what follows
	from      configs.TLS
	read      [sha256.Size]byte // of what both files held that current is made of
	complaint string            // what was wrong at the last look
	told      bool              // the log knows the complaint
}

// newCertificate makes or reads the certificate of a configuration with TLS.
func newCertificate(cfg *configs.Config, log *slog.Logger) (*certificate, error) {
	c := &certificate{log: log, from: cfg.TLS}
	if cfg.TLS.SelfSigned {
		made, err := selfSigned(hostsOf(cfg), time.Now())
		c.current.Store(&made)
		return c, err
	}
	pair, read, err := readPair(cfg.TLS)
	if err != nil {
		return nil, cfg.Problem("tls.certificate", err.Error(), "name PEM files that belong together")
	}
	c.current.Store(pair)
	c.read = read
	return c, nil
}

// get is [tls.Config.GetCertificate].
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// run looks at the files every so often, until ctx ends.
func (c *certificate) run(ctx context.Context) {
	tick := time.NewTicker(pollCertificate)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.look()
		}
	}
}

// follow takes the certificate from the files of another configuration.
func (c *certificate) follow(cfg *configs.Config) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg.TLS.Certificate == c.from.Certificate && cfg.TLS.Key == c.from.Key {
		return nil // look will see what is in them
	}
	pair, read, err := readPair(cfg.TLS)
	if err != nil {
		return cfg.Problem("tls.certificate", err.Error(), "name PEM files that belong together")
	}
	c.current.Store(pair)
	c.from, c.read, c.complaint, c.told = cfg.TLS, read, "", false
	return nil
}

// look takes over the files if they have changed and are right. What is wrong is told when
// it is still so at the second look: two files cannot be replaced at once.
func (c *certificate) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from.SelfSigned {
		return
	}
	pair, read, err := readPair(c.from)
	if err != nil {
		again := err.Error() == c.complaint
		if again && !c.told {
			c.log.Error("the certificate's files are wrong; the old certificate stays", slog.Any("err", err))
		}
		c.complaint, c.told = err.Error(), again
		return
	}
	c.complaint, c.told = "", false
	if read == c.read {
		return
	}
	c.read = read
	c.current.Store(pair)
	c.log.Info("certificate was read again", slog.String("path", c.from.Certificate), slog.Time("expires", pair.Leaf.NotAfter))
}

var errExposedKey = errors.New("is open to every user of the machine")

// readPair reads the two files; read tells them from others.
func readPair(from configs.TLS) (pair *tls.Certificate, read [sha256.Size]byte, err error) {
	chain, err := os.ReadFile(from.Certificate)
	if err != nil {
		return nil, read, err
	}
	if configs.Exposed(from.Key) {
		return nil, read, fmt.Errorf("%s %w", from.Key, errExposedKey)
	}
	key, err := os.ReadFile(from.Key)
	if err != nil {
		return nil, read, err
	}
	made, err := tls.X509KeyPair(chain, key)
	return &made, sha256.Sum256(append(chain, key...)), err
}
