package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"causeway/auth"
)

// Bounds of the connections of one pool. Eight are more than two cores of logins can fill;
// idle ones end before a firewall or the directory forgets them.
const (
	maxLinks = 8
	maxIdle  = time.Minute
)

// endpoint is where a directory is reached, and how.
type endpoint struct {
	address  string
	tls      *tls.Config // nil for none
	startTLS bool
}

// link is a connection with its socket, whose deadline bounds everything that is asked.
type link struct {
	conn *ldap.Conn
	raw  net.Conn
	used time.Time
}

// dial connects. No bind has been made then.
func (e *endpoint) dial(ctx context.Context) (*link, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	secured := raw
	if e.tls != nil && !e.startTLS {
		client := tls.Client(raw, e.tls)
		if err := client.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS: %w", err), raw.Close())
		}
		secured = client
	}
	l := &link{conn: ldap.NewConn(secured, e.tls != nil && !e.startTLS), raw: raw}
	l.conn.Start()
	if !e.startTLS {
		return l, nil
	}
	if err := l.ask(ctx, func(c *ldap.Conn) error { return c.StartTLS(e.tls) }); err != nil {
		l.close()
		return nil, fmt.Errorf("StartTLS: %w", err)
	}
	return l, nil
}

// dialBound is dial, then a bind if there is a name.
func (e *endpoint) dialBound(ctx context.Context, dn, password string) (*link, error) {
	l, err := e.dial(ctx)
	if err != nil || dn == "" {
		return l, err
	}
	if err := l.ask(ctx, func(c *ldap.Conn) error { return c.Bind(dn, password) }); err != nil {
		l.close()
		return nil, fmt.Errorf("bind as %q: %w", dn, err)
	}
	return l, nil
}

// ask runs f until it returns or ctx ends, after which the link is of no more use.
func (l *link) ask(ctx context.Context, f func(*ldap.Conn) error) error {
	stop := context.AfterFunc(ctx, func() { _ = l.raw.SetDeadline(time.Unix(1, 0)) }) // fails on closed sockets only
	err := f(l.conn)
	if !stop() {
		l.close()
		return context.Cause(ctx)
	}
	return err
}

// close ends the connection. It is without a farewell, so that nothing waits for the peer.
func (l *link) close() {
	_ = l.raw.Close() // what was to be said has been answered
	_ = l.conn.Close()
}

// pool is connections that are used one login at a time.
type pool struct {
	dial  func(context.Context) (*link, error)
	slots chan struct{} // one value for each link in use

	mu     sync.Mutex
	idle   []*link // the one used last at the end
	closed bool
}

func newPool(dial func(context.Context) (*link, error)) *pool {
	return &pool{dial: dial, slots: make(chan struct{}, maxLinks)}
}

// do asks by a connection of the pool. One that has died while it was idle, as when the
// directory was restarted, is replaced, and f runs again.
func (p *pool) do(ctx context.Context, f func(*ldap.Conn) error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.slots }()
	if l := p.take(); l != nil {
		err := l.ask(ctx, f)
		if !broken(err) || ctx.Err() != nil {
			p.give(l, err)
			return err
		}
		l.close()
	}
	l, err := p.dial(ctx)
	if err != nil {
		return err
	}
	err = l.ask(ctx, f)
	p.give(l, err)
	return err
}

// take returns an idle link, nil if there is none that can be used.
func (p *pool) take() *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		l := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !l.conn.IsClosing() && time.Since(l.used) < maxIdle {
			return l
		}
		l.close()
	}
	return nil
}

// give takes a link back that has been asked with this outcome.
func (p *pool) give(l *link, err error) {
	l.used = time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if broken(err) || p.closed {
		l.close()
		return
	}
	p.idle = append(p.idle, l)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.idle {
		l.close()
	}
	p.idle, p.closed = nil, true
}

// broken tells errors of the connection from the directory's answers, and from what has
// been made of those.
func broken(err error) bool {
	if err == nil || errors.Is(err, auth.ErrLogin) || errors.Is(err, errUnreadable) {
		return false
	}
	var answer *ldap.Error
	return !errors.As(err, &answer) || answer.ResultCode >= ldap.ErrorNetwork
}

// searchFunc searches. What was found may be returned with an error, too.
type searchFunc func(*ldap.SearchRequest) ([]*ldap.Entry, error)

// searchBy searches by a connection that its caller has got from a pool.
func searchBy(c *ldap.Conn) searchFunc {
	return func(request *ldap.SearchRequest) ([]*ldap.Entry, error) {
		result, err := c.Search(request)
		if result == nil {
			return nil, err
		}
		return result.Entries, err
	}
}

// search is do with a search.
func (p *pool) search(ctx context.Context, request *ldap.SearchRequest) (entries []*ldap.Entry, err error) {
	err = p.do(ctx, func(c *ldap.Conn) (err error) {
		entries, err = searchBy(c)(request)
		return err
	})
	return entries, err
}
