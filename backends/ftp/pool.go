package ftp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"causeway/backends/ftp/ftpclient"
)

const (
	// takenWait is how long a caller waits for a connection while all are taken.
	takenWait = 30 * time.Second
	// idleLimit is when a connection that nobody uses is closed: the old server needs its
	// places for others, and ends them itself after five minutes or so.
	idleLimit = time.Minute
	// checkAfter is how old an idle connection may be to be used for a change unasked.
	checkAfter = time.Second
	// fullFor is how long one connection less is used after the server has refused one more.
	fullFor = 10 * time.Minute

	// A server that refuses the login is asked again after these pauses, each twice the one
	// before: it may count failures, and ban us. One that cannot be reached delays everybody
	// who asks, so others fail at once for a while.
	firstRefusal, longestRefusal = 5 * time.Second, 5 * time.Minute
	firstSilence, longestSilence = time.Second, 4 * time.Second
)

// errTaken is a pool whose connections are all in use.
var errTaken = errors.New("all connections to the FTP server are in use")

// pool keeps connections that are logged in.
type pool struct {
	cfg   ftpclient.Config
	slots chan struct{} // one for each connection in use

	mu     sync.Mutex
	idle   []*conn // the one that was used last is the last
	inUse  int
	closed bool
	proven bool // the user has been logged in
	pause  pause
}

// conn is a connection of the pool.
type conn struct {
	*ftpclient.Conn
	reused bool      // it has been idle
	since  time.Time // when it became so
	timer  *time.Timer
}

// pause is the time in which the server is not asked again, with its reason.
type pause struct {
	until  time.Time
	length time.Duration
	err    error
}

func newPool(cfg ftpclient.Config, connections int) *pool {
	return &pool{cfg: cfg, slots: make(chan struct{}, connections)}
}

// take waits for a connection, an idle one if there is one. The caller puts it back.
func (p *pool) take(ctx context.Context) (*conn, error) {
	for {
		if err := p.enter(ctx); err != nil {
			return nil, err
		}
		if c := p.reuse(); c != nil {
			return c, nil
		}
		c, err := p.dial(ctx)
		if err == nil {
			return c, nil
		}
		if !p.full(err) {
			<-p.slots
			return nil, err
		}
		if c := p.reuse(); c != nil { // given back meanwhile
			return c, nil
		}
		p.shrink()
	}
}

// shrink takes the caller's slot and all that are free away for a while: the server has
// places for those that are in use. If none is by now, one slot stays, or nobody could go on.
func (p *pool) shrink() {
	taken := 1
	for free := true; free; {
		select {
		case p.slots <- struct{}{}:
			taken++
		default:
			free = false
		}
	}
	p.mu.Lock()
	deserted := p.inUse == 0
	p.mu.Unlock()
	if deserted { // the last one was given back meanwhile, and its slot was free
		<-p.slots
		taken--
	}
	time.AfterFunc(fullFor, func() {
		for range taken {
			<-p.slots
		}
	})
}

// takeChecked is take for what must not be done twice: the connection has just answered.
func (p *pool) takeChecked(ctx context.Context) (*conn, error) {
	for {
		c, err := p.take(ctx)
		if err != nil || !c.reused || time.Since(c.since) < checkAfter {
			return c, err
		}
		err = c.Noop(ctx)
		if err == nil {
			return c, nil
		}
		p.put(c)
		if ctx.Err() != nil {
			return nil, err
		}
		p.dropIdle()
	}
}

// enter waits for a slot.
func (p *pool) enter(ctx context.Context) error {
	timer := time.NewTimer(takenWait)
	defer timer.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return errTaken
	}
}

func (p *pool) reuse() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	c := p.idle[last]
	p.idle = p.idle[:last]
	c.timer.Stop()
	c.reused = true
	p.inUse++
	return c
}

// put takes a connection back, and closes it if it is of no use any more.
func (p *pool) put(c *conn) {
	p.mu.Lock()
	p.inUse--
	keep := c.Usable() && !p.closed
	if keep {
		c.since = time.Now()
		c.timer = time.AfterFunc(idleLimit, func() { p.expire(c) })
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		_ = c.Close() // nothing depends on how it ends
	}
	<-p.slots
}

// expire closes a connection that nobody has used for a while.
func (p *pool) expire(c *conn) {
	p.mu.Lock()
	for i, other := range p.idle {
		if other == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			defer c.Close() //nolint:errcheck // it was idle
			break
		}
	}
	p.mu.Unlock()
}

// dropIdle closes all connections that are idle: one of their age was dead.
func (p *pool) dropIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var closing sync.WaitGroup // each may wait for an answer that does not come
	for _, c := range idle {
		c.timer.Stop()
		closing.Go(func() { _ = c.Close() }) // it was idle
	}
	closing.Wait()
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.dropIdle()
}

// dial logs in on a new connection, unless the server has just refused that or was silent.
func (p *pool) dial(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	waiting, reason := time.Until(p.pause.until), p.pause.err
	p.mu.Unlock()
	if waiting > 0 {
		return nil, fmt.Errorf("not tried again for %s, since: %w", waiting.Round(time.Second), reason)
	}
	c, err := ftpclient.Dial(ctx, p.cfg)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.proven, p.pause = true, pause{}
		p.inUse++
		return &conn{Conn: c}, nil
	case ctx.Err() != nil:
	case refused(err) && !p.crowded(err):
		p.pause = p.pause.after(err, firstRefusal, longestRefusal)
	case !crowd(err):
		p.pause = p.pause.after(err, firstSilence, longestSilence)
	}
	return nil, err
}

// after is the next pause, which is longer than the one before.
func (p pause) after(err error, first, longest time.Duration) pause {
	length := min(max(first, 2*p.length), longest)
	return pause{until: time.Now().Add(length), length: length, err: err}
}

// refused tells a login that was wrong.
func refused(err error) bool {
	var reply *ftpclient.ReplyError
	return errors.As(err, &reply) && reply.Code == 530
}

// crowd tells a server that is full, or is about to end.
func crowd(err error) bool {
	var reply *ftpclient.ReplyError
	return errors.As(err, &reply) && reply.Code == 421
}

// crowded tells that the server has too many of us: some say so by 530, which is a wrong
// password otherwise. The caller holds mu.
func (p *pool) crowded(err error) bool {
	return (crowd(err) || refused(err) && p.proven) && p.inUse > 0
}

// full tells whether a connection in use, or one that is idle again, is to be waited for.
func (p *pool) full(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crowded(err) || crowd(err) && len(p.idle) > 0
}
