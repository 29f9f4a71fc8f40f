package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// lastWords is how long sessions that are cut may take to tell their clients.
const lastWords = time.Second

// Server serves FTP sessions on any number of listeners. Its methods may be called from
// any goroutine.
type Server struct {
	config   Config
	commands *commandTable
	tls      *tls.Config // holds the ticket keys that all connections share; nil without TLS
	passive  *passivePool
	hashing  *hashBudget
	proper   *accountSet // accounts seen to end TLS transfers with a close_notify
	buffers  *buffers

	ctx  context.Context // of all sessions
	cut  context.CancelCauseFunc
	stop chan struct{} // closed by Shutdown

	mu        sync.Mutex
	stopped   bool
	listeners map[net.Listener]struct{}
	sessions  census
	running   sync.WaitGroup // a session each
}

// NewServer returns a server that serves nothing yet.
func NewServer(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.Limits = c.Limits.withDefaults()
	if c.Network == nil {
		c.Network = systemNetwork{}
	}
	ctx, cut := context.WithCancelCause(context.Background())
	s := &Server{
		config:    c,
		commands:  newCommandTable(),
		passive:   newPassivePool(c.Network, c.Passive.MinPort, c.Passive.MaxPort),
		proper:    newAccountSet(),
		hashing:   newHashBudget(c.Limits.HashPerHour),
		buffers:   newBuffers(),
		ctx:       ctx,
		cut:       cut,
		stop:      make(chan struct{}),
		listeners: make(map[net.Listener]struct{}),
		sessions:  newCensus(c.Limits),
	}
	if c.TLS != nil {
		s.tls = c.TLS.Clone()
	}
	return s, nil
}

// Serve accepts sessions from ln until Shutdown, then returns nil; or until ln is closed
// by someone else, which is the error returned. It closes ln.
func (s *Server) Serve(ln net.Listener, o ListenOptions) error {
	if o.ImplicitTLS && s.tls == nil {
		return errors.Join(errors.New("ftp: implicit TLS needs Config.TLS"), ln.Close())
	}
	if !s.track(ln) {
		return ln.Close()
	}
	defer s.untrack(ln)
	for pause := time.Duration(0); ; {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			s.admit(conn, ln, o)
		case s.stopping():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// Out of descriptors or memory, or the peer was faster: all of it passes.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.config.Log.Warn("accept failed", slog.Any("err", err), slog.String("pause", pause.String()))
			s.sleep(s.ctx, pause)
		}
	}
}

// admit starts a session, or refuses it when its client is not admitted or there are too
// many. It never blocks the accept loop: the refusal fits the empty send buffer of a fresh
// connection.
func (s *Server) admit(conn net.Conn, ln net.Listener, o ListenOptions) {
	ses := newSession(s, conn, ln.Addr(), o)
	switch {
	case s.config.Admit != nil && !s.config.Admit(ses.client):
		// Who refuses it has told why, once; here a client could fill the log.
		s.config.Log.Debug("session not admitted", slog.String("remote", ses.client.String()))
		ses.refuse("Too many failed logins from your address; try again later.")
	case !s.enter(ses):
		s.config.Log.Warn("session refused", slog.String("remote", ses.client.String()))
		ses.refuse("Too many connections; try again later.")
	default:
		go s.host(ses)
	}
}

// host runs a session, in one goroutine after another where it rests between.
func (s *Server) host(ses *session) {
	if ses.serve(s.ctx) {
		go s.host(ses)
		return
	}
	s.leave(ses)
}

// Shutdown closes the listeners, tells idle sessions goodbye and waits for running
// transfers until ctx ends; what still runs then is cut, its uploads parked, which may take
// the 30 s that Upload.Park may, its clients told, and ctx's error returned. All goroutines
// have ended when it returns.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.close()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		s.passive.wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		err = errors.Join(err, context.Cause(ctx))
		s.cut(errStopping)
		s.hangUp(ended)
	}
	s.cut(errStopping)
	return err
}

// hangUp closes the connections of sessions that have been cut and do not end in time.
func (s *Server) hangUp(ended <-chan struct{}) {
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	select {
	case <-ended:
		return
	case <-timer.C:
	}
	s.mu.Lock()
	s.sessions.each((*session).closeRaw)
	s.mu.Unlock()
	<-ended
}

// close stops accepting and wakes the sessions, which then see that the server stops.
func (s *Server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	close(s.stop)
	var err error
	for ln := range s.listeners {
		err = errors.Join(err, ln.Close())
	}
	s.sessions.each((*session).wake)
	return err
}

// Sessions is the number of sessions at this moment.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions.count()
}

// Admitted is how many sessions there have been since the start, and how many were refused
// because of the limits.
func (s *Server) Admitted() (admitted, refused uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions.admitted, s.sessions.refused
}

func (s *Server) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// sleep waits for d, for ctx to end or for the server to stop.
func (s *Server) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.stop:
	}
}

func (s *Server) track(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.listeners[ln] = struct{}{}
	return true
}

func (s *Server) untrack(ln net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		// Serve ends because ln is closed already: a second Close has nothing to tell.
		_ = ln.Close()
	}
	delete(s.listeners, ln)
}

func (s *Server) enter(ses *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || !s.sessions.add(ses) {
		return false
	}
	s.running.Add(1)
	return true
}

func (s *Server) leave(ses *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions.remove(ses)
	s.running.Done()
}
