package ftp

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
)

const (
	// randomTries is how many ports are tried at random before the range is searched.
	randomTries = 16
	// maxArrived is how many connections of one client may wait to be taken.
	maxArrived = 4
	// maxChosen is how many ports of the system's choice are used again and again. Among fewer
	// a stranger could guess.
	maxChosen = 1 << 10
	// maxAlarms is how often one route tells of connections that it refuses.
	maxAlarms = 4
)

// errNoPort is a passive range in which nothing is free for this client.
var errNoPort = errors.New("no free passive port")

// passivePool gives out passive ports. One listener serves several clients at once, told
// apart by their addresses, so that the range does not cap the number of sessions; it is
// closed when no one waits on it. Its methods may be called from any goroutine.
type passivePool struct {
	min, max uint16 // both 0: ports of the system's choice
	net      Network

	mu        sync.Mutex
	ports     map[netip.AddrPort]*passivePort
	chosen    []uint16       // by the system, maxChosen at most
	accepting sync.WaitGroup // a goroutine for each listener
}

// passivePort is a listener and who waits on it. The pool's mutex guards waiting.
type passivePort struct {
	addr    netip.AddrPort
	ln      net.Listener
	waiting map[netip.Addr]*reservation
}

// reservation is a client's hold on a passive port: the route of PASV and EPSV.
type reservation struct {
	pool    *passivePool
	port    *passivePort
	client  netip.Addr
	arrived chan net.Conn
	taken   bool         // connect has returned one
	log     *slog.Logger // the session's
	alarms  int          // given; the pool's mutex guards it
}

func newPassivePool(n Network, minPort, maxPort uint16) *passivePool {
	return &passivePool{net: n, min: minPort, max: maxPort, ports: make(map[netip.AddrPort]*passivePort)}
}

// reserve opens a port on the local address, or shares one, for the next connection of
// client. The port is chosen at random, so that no one can guess it (RFC 2577 §8). log
// hears of connections that are refused.
func (p *passivePool) reserve(local, client netip.Addr, log *slog.Logger) (*reservation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.min == 0 {
		return p.takeAny(local, client, log)
	}
	size := int(p.max-p.min) + 1
	for range randomTries {
		n, err := random(size)
		if err != nil {
			return nil, err
		}
		if r, err := p.take(netip.AddrPortFrom(local, p.min+uint16(n)), client, log); !errors.Is(err, errNoPort) {
			return r, err
		}
	}
	return p.search(local, client, size, log)
}

// takeAny reserves a port of the system's choice: one that it has chosen before, once there
// are many of them. It searches ports that no connection has had within a minute, which takes
// milliseconds when thousands have; to take one that is named, only listeners are in the way.
func (p *passivePool) takeAny(local, client netip.Addr, log *slog.Logger) (*reservation, error) {
	if len(p.chosen) == maxChosen {
		n, err := random(maxChosen)
		if err != nil {
			return nil, err
		}
		if r, err := p.take(netip.AddrPortFrom(local, p.chosen[n]), client, log); !errors.Is(err, errNoPort) {
			return r, err
		}
	}
	r, err := p.take(netip.AddrPortFrom(local, 0), client, log)
	if err == nil && len(p.chosen) < maxChosen && !slices.Contains(p.chosen, r.port.addr.Port()) {
		p.chosen = append(p.chosen, r.port.addr.Port())
	}
	return r, err
}

// search tries every port, from a random one on.
func (p *passivePool) search(local, client netip.Addr, size int, log *slog.Logger) (*reservation, error) {
	start, err := random(size)
	if err != nil {
		return nil, err
	}
	for i := range size {
		port := p.min + uint16((start+i)%size)
		if r, err := p.take(netip.AddrPortFrom(local, port), client, log); !errors.Is(err, errNoPort) {
			return r, err
		}
	}
	return nil, errNoPort
}

func random(n int) (int, error) {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, err
	}
	return int(v.Int64()), nil
}

// take reserves one port; errNoPort if it is not free for this client.
func (p *passivePool) take(addr netip.AddrPort, client netip.Addr, log *slog.Logger) (*reservation, error) {
	port, open := p.ports[addr]
	if !open {
		ln, err := p.net.Listen(addr)
		if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EACCES) {
			return nil, errNoPort
		}
		if err != nil {
			return nil, because(errNoListen, err)
		}
		port = &passivePort{
			addr:    netip.AddrPortFrom(addr.Addr(), addrPortOf(ln.Addr()).Port()),
			ln:      ln,
			waiting: make(map[netip.Addr]*reservation),
		}
		p.ports[port.addr] = port
		p.accepting.Go(func() { p.accept(port) })
	}
	if port.waiting[client] != nil {
		return nil, errNoPort
	}
	r := &reservation{pool: p, port: port, client: client, arrived: make(chan net.Conn, maxArrived), log: log}
	port.waiting[client] = r
	return r, nil
}

// accept hands each connection to the client that waits at its address. Strangers are
// turned away, and the right one is still served.
func (p *passivePool) accept(port *passivePort) {
	for {
		conn, err := port.ln.Accept()
		if err != nil {
			// Closed by release. Any other error ends the listener too: clients that
			// wait get their 425, and the next PASV opens a new one.
			p.abandon(port)
			return
		}
		for _, log := range p.deliver(port, conn) {
			warnRefused(log, conn, errStranger)
		}
	}
}

// deliver hands over one connection, or closes it and returns who is to be told: all that
// wait on the port, since nothing says for whom a stranger came.
func (p *passivePool) deliver(port *passivePort, conn net.Conn) []*slog.Logger {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := port.waiting[addrPortOf(conn.RemoteAddr()).Addr()]; r != nil {
		select {
		case r.arrived <- conn:
			return nil
		default:
		}
	}
	closeHard(conn)
	var told []*slog.Logger
	for _, r := range port.waiting {
		if r.alarms++; r.alarms <= maxAlarms {
			told = append(told, r.log)
		}
	}
	return told
}

// warnRefused tells of a data connection that was not the one awaited: it may be a theft
// that has failed, or one that has not.
func warnRefused(log *slog.Logger, conn net.Conn, err error) {
	log.Warn("data connection refused", slog.String("remote", addrPortOf(conn.RemoteAddr()).Addr().String()), slog.Any("err", err))
}

// abandon forgets a port whose listener has ended.
func (p *passivePool) abandon(port *passivePort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ports[port.addr] == port {
		delete(p.ports, port.addr)
		_ = port.ln.Close() // it has failed already
	}
}

// wait returns when no listener is open.
func (p *passivePool) wait() { p.accepting.Wait() }

// connect takes the next connection of the client.
func (r *reservation) connect(ctx context.Context) (net.Conn, error) {
	select {
	case conn := <-r.arrived:
		r.taken = true
		return conn, nil
	case <-ctx.Done():
		return nil, errNoData
	}
}

// close gives the port back, with the listener if no one else waits on it. Connections of
// the client that no transfer took are closed: of a command that failed, its own; beside
// one that was taken, one of the two was a stranger's.
func (r *reservation) close() {
	r.release()
	for {
		select {
		case conn := <-r.arrived:
			closeHard(conn)
			if r.taken {
				warnRefused(r.log, conn, errSecond)
			}
		default:
			return
		}
	}
}

// release sees to it that nothing more arrives.
func (r *reservation) release() {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	if r.port.waiting[r.client] != r {
		return
	}
	delete(r.port.waiting, r.client)
	if len(r.port.waiting) == 0 && r.pool.ports[r.port.addr] == r.port {
		delete(r.pool.ports, r.port.addr)
		_ = r.port.ln.Close() // no one waits on it
	}
}
