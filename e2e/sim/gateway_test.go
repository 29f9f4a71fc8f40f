package sim

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"causeway/backends"
	"causeway/cache"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

const (
	// grace is that before a commit.
	grace = 50 * time.Millisecond
	// believed is how long the cache believes what the store has said of objects, and
	// remembered what it has said of parked uploads.
	believed   = 5 * time.Second
	remembered = 30 * time.Second
	// window is how long parked uploads are kept.
	window = 24 * time.Hour
)

// serverAddr is where every gateway listens.
var serverAddr = netip.MustParseAddrPort("192.0.2.1:21")

// gateway is one process of the gateway.
type gateway struct {
	number int
	server *ftp.Server
	store  *cache.Backend
	names  *vfs.Names
	dead   chan struct{} // closed when it is killed
	served chan error    // what Serve has returned
	ended  chan error    // what Shutdown has returned; nil before it is drained
}

// start starts a gateway on the bucket.
func (w *world) start() {
	g := &gateway{number: w.gateway.number + 1, names: vfs.NewNames(), dead: make(chan struct{}), served: make(chan error, 1)}
	next := &faulty{world: w, next: w.bucket, dead: g.dead}
	var store backends.Backend = next
	if w.mutant != nil {
		store = w.mutant(next)
	}
	g.store = cache.New(cache.Options{TTL: believed}).Backend(store)
	server, err := ftp.NewServer(ftp.Config{
		Login:   func(_ context.Context, c ftp.Credentials) (*ftp.Account, error) { return w.login(g, c) },
		Grace:   func(net.Conn, net.Conn, time.Duration) time.Duration { return w.grace },
		Network: w.net,
		Log:     slog.New(&logged{world: w, dead: g.dead}),
	})
	w.must(err)
	g.server = server
	ln, err := w.net.Listen(serverAddr)
	w.must(err)
	w.mu.Lock()
	w.gateway = g
	w.mu.Unlock()
	go func() { g.served <- server.Serve(ln, ftp.ListenOptions{}) }()
}

func (w *world) login(g *gateway, c ftp.Credentials) (*ftp.Account, error) {
	for _, a := range w.accounts {
		if a.name == c.User {
			var mounts []vfs.Mount
			for _, m := range a.mounts {
				mounts = append(mounts, m.of(g.store))
			}
			view, err := vfs.New(mounts, g.names, slog.New(&logged{world: w, dead: g.dead}))
			return &ftp.Account{Name: a.name, FS: view}, err
		}
	}
	return nil, ftp.ErrLogin
}

// kill ends the gateway as SIGKILL does, and starts another.
func (w *world) kill() {
	g := w.gateway
	close(g.dead)
	for _, c := range w.clients {
		c.vanish()
	}
	w.mu.Lock()
	w.bucket.store.Crash()
	w.bucket.open = 0
	w.mu.Unlock()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = g.server.Shutdown(now) // it is dead already; only its goroutines are to end
	<-g.served
	w.start()
}

// drain ends the gateway as SIGTERM does; the world goes on meanwhile.
func (w *world) drain(d time.Duration) {
	g := w.gateway
	g.ended = make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		g.ended <- g.server.Shutdown(ctx)
	}()
}

// succeed starts another gateway once the present one is drained.
func (w *world) succeed() {
	if w.gateway.ended == nil {
		return
	}
	select {
	case <-w.gateway.ended:
	default:
		return
	}
	w.stopped()
	for _, c := range w.clients {
		c.vanish()
	}
	w.start()
}

// stopped holds I5 against a gateway that has ended in order.
func (w *world) stopped() {
	if err := <-w.gateway.served; err != nil {
		w.fail("S50: Serve: %v", err)
	}
	if n := w.gateway.server.Sessions(); n != 0 {
		w.fail("I7: %d sessions are left", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bucket.open != 0 {
		w.failf("I5: %d uploads are neither committed nor parked nor aborted", w.bucket.open)
	}
}

// logged is the log of a gateway: what nobody has foreseen is loud there.
type logged struct {
	*world
	dead chan struct{}
}

func (l *logged) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l *logged) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logged) WithGroup(string) slog.Handler                    { return l }

func (l *logged) Handle(_ context.Context, r slog.Record) error {
	select {
	case <-l.dead:
		return nil
	default:
	}
	if r.Message == "upload not aborted" {
		return nil // the store's word that it was aborted was lost
	}
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += " " + a.String(); return true })
	l.fail("log: %s", text)
	return nil
}
