package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/auth/guard"
	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/readahead"
	"causeway/cache"
	"causeway/configs"
	"causeway/gateway/audit"
	"causeway/gateway/ftp"
	"causeway/gateway/limits"
	"causeway/gateway/vfs"
)

// Gateway is one running configuration. It is used once: [New], then [Gateway.Run].
type Gateway struct {
	server    *ftp.Server
	cfg       *configs.Config // in force; of who reloads alone
	accounts  atomic.Pointer[accounts]
	replaced  chan struct{} // has room for one: other accounts are in force
	shown     *certificate  // nil without TLS
	guard     *guard.Guard
	limits    *limits.Registry
	opened    map[string]backends.Backend // as openStores returned them
	stores    map[string]backends.Backend // the same behind the cache
	quotas    quotas                      // before which all that writes to them goes
	behinds   *behinds                    // and before those
	retention *retention
	upkeep    *upkeep // of quotas, retention and what is behind
	ways      *identities
	cache     *cache.Cache      // nil where it is turned off
	budget    *multipart.Budget // of all stores
	reads     *readahead.Pool   // of all downloads
	names     *vfs.Names
	addresses []configs.Listener
	explicit  bool // TLS is offered on listeners that are not implicit
	drain     time.Duration
	parking   time.Duration // after drain, for what is parked then
	window    time.Duration // for which parked uploads are kept
	log       *slog.Logger
	audit     *audit.Log // nil for none
	admin     *admin     // nil for none
	readiness *readiness

	bound []listener
}

// listener is a socket that is bound and not yet served.
type listener struct {
	net.Listener
	options ftp.ListenOptions
}

// New opens the stores and makes the accounts; it does not listen yet. What is wrong with
// the configuration is told as in [configs.Config.Problem].
func New(ctx context.Context, cfg *configs.Config, log *slog.Logger) (*Gateway, error) {
	accounts, err := newAccounts(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	g, err := newGateway(ctx, cfg, accounts, log)
	if err != nil {
		return nil, errors.Join(err, accounts.close())
	}
	return g, nil
}

// newGateway makes all but the accounts.
func newGateway(ctx context.Context, cfg *configs.Config, accounts *accounts, log *slog.Logger) (*Gateway, error) {
	tls, certificate, err := newTLS(cfg, log)
	if err != nil {
		return nil, err
	}
	budget, err := newBudget(cfg)
	if err != nil {
		return nil, err
	}
	stores, err := openStores(ctx, cfg, commonOf(cfg, budget, log))
	if err != nil {
		return nil, err
	}
	records, err := newAudit(cfg, log)
	if err != nil {
		return nil, errors.Join(err, closeStores(stores))
	}
	measured := newMeasures(cfg)
	memory := newCache(cfg)
	shown := cached(memory, measured.meter(stores))
	ledgers := newQuotas(shown, log)
	g := &Gateway{
		cfg:       cfg,
		replaced:  make(chan struct{}, 1),
		shown:     certificate,
		guard:     newGuard(cfg.Guard, log),
		limits:    newLimits(cfg.Limits),
		opened:    stores,
		stores:    shown,
		quotas:    ledgers,
		behinds:   newBehinds(cfg, shown, ledgers, log, measured),
		retention: newRetention(log),
		ways:      newIdentities(cfg, stores, shown, measured),
		cache:     memory,
		budget:    budget,
		reads:     readahead.NewPool(budget),
		names:     vfs.NewNames(),
		addresses: cfg.Listeners,
		explicit:  tls != nil,
		drain:     cfg.Limits.DrainTimeout,
		parking:   parkTimeout,
		window:    cfg.Uploads.ResumeWindow,
		log:       log,
		audit:     records,
	}
	g.readiness, g.upkeep = &readiness{stores: stores, log: log, optional: g.onlyBehind}, &upkeep{apply: g.keep}
	g.retention.audit = records
	accounts.measured.Store(measured)
	accounts.inspect(g.upkeep.list)
	g.accounts.Store(accounts)
	engine := engineConfig(cfg)
	engine.Login, engine.Admit, engine.TLS, engine.Log, engine.Observer = g.guardedLogin, g.guard.Admit, tls, log, newObserver(records, measured)
	engine.Vouch = g.vouch
	if g.server, err = ftp.NewServer(engine); err != nil {
		return nil, errors.Join(err, g.close())
	}
	if measured != nil {
		measured.watch(g)
		g.admin = newAdmin(cfg.Admin.Address, measured, g.readiness, log)
	}
	return g, nil
}

// engineConfig is what the configuration says of the engine alone.
func engineConfig(cfg *configs.Config) ftp.Config {
	return ftp.Config{
		TLSRequired:  cfg.TLS.Required,
		SessionReuse: sessionReuse(cfg.TLS.SessionReuse),
		Passive: ftp.Passive{
			MinPort:  cfg.Passive.Ports.Min,
			MaxPort:  cfg.Passive.Ports.Max,
			Announce: announce(cfg.Passive),
		},
		Limits: ftp.Limits{
			Sessions:           cfg.Limits.Sessions,
			SessionsPerAddress: cfg.Limits.SessionsPerAddress,
			IdleTimeout:        cfg.Limits.IdleTimeout,
			LoginTimeout:       cfg.Limits.LoginTimeout,
			TransferTimeout:    cfg.Limits.TransferTimeout,
			HashPerHour:        int64(cfg.Limits.HashPerHour),
		},
		Grace: newGrace(cfg.Uploads.Grace),
	}
}

// close closes what New has opened: the audit first, since a store may keep it waiting.
func (g *Gateway) close() error {
	var err error
	if g.audit != nil {
		err = g.audit.Close()
	}
	return errors.Join(err, g.accounts.Load().close(), closeStores(g.opened))
}

func sessionReuse(r configs.SessionReuse) ftp.SessionReuse {
	if r == configs.ReuseRequired {
		return ftp.ReuseRequired
	}
	return ftp.ReuseOffered
}

// ListenError is an address that cannot be listened on.
type ListenError struct {
	Field string // of the configuration: "listeners[0]", "admin"
	Err   error
}

func (e *ListenError) Error() string { return fmt.Sprintf("%s: %v", e.Field, e.Err) }

// Unwrap returns the system's error.
func (e *ListenError) Unwrap() error { return e.Err }

// Listen binds the addresses and returns them, in the configuration's order, with the
// ports that the system has chosen where the configuration leaves it the choice. The
// error is a [ListenError]. Run must follow.
func (g *Gateway) Listen(ctx context.Context) ([]net.Addr, error) {
	addrs := make([]net.Addr, 0, len(g.addresses))
	for i, l := range g.addresses {
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, "tcp", l.Address)
		if err != nil {
			return nil, errors.Join(&ListenError{Field: fmt.Sprintf("listeners[%d]", i), Err: err}, g.unbind())
		}
		g.bound = append(g.bound, listener{ln, ftp.ListenOptions{ImplicitTLS: l.TLS == configs.ImplicitTLS}})
		addrs = append(addrs, ln.Addr())
	}
	if g.admin != nil {
		if err := g.admin.listen(ctx); err != nil {
			return nil, errors.Join(err, g.unbind())
		}
	}
	return addrs, nil
}

func (g *Gateway) unbind() error {
	var err error
	for _, l := range g.bound {
		err = errors.Join(err, l.Close())
	}
	g.bound = nil
	return err
}

// Run serves until ctx ends: on the addresses that Listen has bound, else on all of the
// configuration. Then it takes no more logins and gives running transfers the drain
// timeout; what still runs after that is cut off, and its uploads are parked. Its
// goroutines have ended and the stores are closed when it returns, unless a store keeps
// it waiting for longer than parkTimeout. The end of ctx is not an error.
func (g *Gateway) Run(ctx context.Context) error {
	return errors.Join(g.serve(ctx), g.close())
}

// parkTimeout bounds what follows the drain timeout: last words to the clients, the parks,
// 30 s at most each and all at a time, and what stores need to settle a commit under way.
const parkTimeout = 40 * time.Second

func (g *Gateway) serve(ctx context.Context) error {
	if g.bound == nil {
		if _, err := g.Listen(ctx); err != nil {
			return err
		}
	}
	serving, failed := errgroup.WithContext(ctx)
	janitor := &janitor{stores: g.quotas.overAll(g.stores), behind: g.behinds.routes, window: g.window, log: g.log}
	serving.Go(func() error {
		janitor.run(failed)
		return nil
	})
	serving.Go(func() error {
		g.workAccounts(failed)
		return nil
	})
	if g.shown != nil {
		serving.Go(func() error {
			g.shown.run(failed)
			return nil
		})
	}
	serving.Go(func() error {
		g.quotas.run(failed)
		return nil
	})
	g.retention.stores = janitor.stores
	serving.Go(func() error {
		g.retention.run(failed)
		return nil
	})
	serving.Go(func() error {
		g.behinds.run(failed)
		return nil
	})
	for _, l := range g.bound {
		g.log.Info("listening", "address", l.Addr().String(), "tls", g.tlsOf(l))
		serving.Go(func() error { return g.server.Serve(l.Listener, l.options) })
	}
	if g.admin != nil {
		defer g.admin.start()()
	}
	<-failed.Done()
	g.readiness.draining.Store(true)
	g.log.Info("draining", "timeout", g.drain.String(), "sessions", g.server.Sessions())
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.drain)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(g.shutdown(draining), serving.Wait()) }()
	bound := time.NewTimer(g.drain + g.parking)
	defer bound.Stop()
	select {
	case err := <-ended:
		g.log.Info("stopped")
		return err
	case <-bound.C:
		g.log.Warn("stopped while a store has not answered: what it was told to keep may be lost from the last part on")
		return nil
	}
}

func (g *Gateway) shutdown(draining context.Context) error {
	err := g.server.Shutdown(draining)
	if errors.Is(err, context.DeadlineExceeded) {
		g.log.Warn("transfers were cut off at the end of the drain timeout")
		return nil
	}
	return err
}

// tlsOf names the kind of TLS of a listener for the log.
func (g *Gateway) tlsOf(l listener) string {
	switch {
	case l.options.ImplicitTLS:
		return "implicit"
	case g.explicit:
		return "explicit"
	default:
		return "none"
	}
}
