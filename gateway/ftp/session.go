package ftp

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	// maxLine bounds a command in octets: a path of maxPath octets in quotes, each doubled,
	// and arguments beside it.
	maxLine = 4 << 10
	// maxQueued bounds, in octets, the commands held back while a transfer runs.
	maxQueued = 32 << 10
	// replyTimeout is how long a client may leave replies unread.
	replyTimeout = 30 * time.Second
	// maxUnknown is how many unknown commands are answered before login.
	maxUnknown = 3
)

// session is one control connection. The goroutine that runs serve owns all of it; only
// wake and closeRaw may be called from elsewhere.
type session struct {
	server   *Server
	log      *slog.Logger
	raw      net.Conn       // as accepted
	local    netip.AddrPort // of the control connection
	client   netip.Addr
	port     uint16 // of the listener
	implicit bool   // TLS from the first octet

	lines  *lineReader
	out    *bufio.Writer
	queue  []command // read during a transfer, to be run after it
	queued int       // octets in queue
	serial uint64    // number of the current command

	security security
	login    login
	params   parameters
	transfer *transfer // running now

	idle    time.Duration
	loginBy time.Time
	unknown int  // commands that were unknown, before login
	leaving bool // QUIT came during a transfer
	closing bool // no further command is read
	hungUp  bool // and nothing more is said
}

func newSession(s *Server, conn net.Conn, listener net.Addr, o ListenOptions) *session {
	ses := &session{
		server:   s,
		log:      s.config.Log.With(slog.String("session", rand.Text()[:10])),
		raw:      conn,
		local:    addrPortOf(conn.LocalAddr()),
		client:   addrPortOf(conn.RemoteAddr()).Addr(),
		port:     addrPortOf(listener).Port(),
		implicit: o.ImplicitTLS,
		idle:     s.config.Limits.IdleTimeout,
		loginBy:  time.Now().Add(s.config.Limits.LoginTimeout),
	}
	ses.params = newParameters()
	ses.speakOn(conn)
	return ses
}

// speakOn makes conn, which is raw or TLS on top of it, the connection that carries commands
// and replies. Nothing that was buffered before lives on.
func (s *session) speakOn(conn net.Conn) {
	s.lines = newLineReader(conn, maxLine)
	s.out = bufio.NewWriter(replyWriter{conn})
	s.lines.telnet = func(answer []byte) {
		// The client may wait for it before it sends a command. An error stays in the
		// writer and shows at the next flush.
		_, _ = s.out.Write(answer)
		_ = s.out.Flush()
	}
}

// replyWriter sets a deadline to each write.
type replyWriter struct{ conn net.Conn }

func (w replyWriter) Write(p []byte) (int, error) {
	if err := w.conn.SetWriteDeadline(time.Now().Add(replyTimeout)); err != nil {
		return 0, err
	}
	return w.conn.Write(p)
}

// serve runs the session from greeting to goodbye.
func (s *session) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer s.closeRaw()
	defer func() { s.params.useRoute(nil) }()
	s.log.Info("session began", slog.String("remote", s.client.String()), slog.Bool("tls", s.implicit))
	err := s.converse(ctx)
	if err != nil {
		s.log.Info("session ended", slog.Any("err", err))
		return
	}
	s.log.Info("session ended")
}

// converse greets and then runs command after command. Its error is for the log.
func (s *session) converse(ctx context.Context) error {
	if s.implicit {
		if err := s.secure(ctx); err != nil {
			return err
		}
	}
	s.put(welcome())
	for !s.closing {
		cmd, err := s.next()
		if err != nil {
			return s.farewell(err)
		}
		s.serial++
		s.put(s.execute(ctx, cmd))
	}
	return s.end()
}

// end sends what is left to say, and under TLS that it was all: a close_notify, for which
// crypto/tls takes 5 s at most.
func (s *session) end() error {
	if s.hungUp {
		return nil
	}
	if err := s.out.Flush(); err != nil || s.security.conn == nil {
		return err
	}
	return s.security.conn.CloseWrite()
}

// next returns the next command: one held back during the last transfer, or from the wire.
func (s *session) next() (command, error) {
	if s.server.stopping() {
		return command{}, errStopping
	}
	if len(s.queue) > 0 {
		cmd := s.queue[0]
		s.queue = s.queue[1:]
		s.queued -= queueCost(cmd)
		return cmd, nil
	}
	deadline := s.loginBy
	if s.login.account != nil {
		deadline = time.Now().Add(s.idle)
	}
	if err := s.raw.SetReadDeadline(deadline); err != nil {
		return command{}, err
	}
	// After the deadline was set: Shutdown may have called wake before that.
	if s.server.stopping() {
		return command{}, errStopping
	}
	cmd, err := s.read()
	if errors.Is(err, os.ErrDeadlineExceeded) && s.server.stopping() {
		return command{}, errStopping // it was wake
	}
	return cmd, err
}

// read takes one command from the wire, after the replies so far have been sent. Replies
// to commands that came together go out together. A line that is too long is a command
// without a verb.
func (s *session) read() (command, error) {
	if !s.lines.hasLine() {
		if err := s.out.Flush(); err != nil {
			return command{}, fmt.Errorf("%w: %s", errUnread, err.Error()) // its time-out is not one of reading
		}
	}
	cmd, err := s.lines.next()
	if errors.Is(err, errLineTooLong) {
		return command{}, nil
	}
	return cmd, err
}

// farewell says why the session ends, if the client can still be told.
func (s *session) farewell(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.Is(err, errStopping):
		s.put(reply{code: 421, text: "The server is stopping; connect again later."})
	case errors.Is(err, os.ErrDeadlineExceeded) && s.login.account == nil:
		s.put(reply{code: 421, text: "Not logged in within the time allowed; connect again."})
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.put(reply{code: 421, text: "Idle for too long; connect again."})
	default:
		return err
	}
	return because(err, s.end())
}

// put writes a reply to the buffer of the control connection.
func (s *session) put(r reply) {
	if r.code == 0 || r.sent {
		return
	}
	// An error stays in the writer and shows at the next flush.
	_, _ = s.out.Write(r.appendTo(nil, s.encode))
	if r.code == 421 {
		s.closing = true
	}
}

// refuse tells a session that has not begun that there is no room for it.
func (s *session) refuse() {
	s.put(reply{code: 421, text: "Too many connections; try again later."})
	// It is being closed for no fault of ours: whether it hears the reason is luck.
	_ = s.out.Flush()
}

// wake interrupts a read of the control connection. What has been read of a line is kept.
func (s *session) wake() {
	// A connection that is closed has no read to interrupt.
	_ = s.raw.SetReadDeadline(time.Unix(1, 0))
}

// closeRaw closes the control connection; it may be called more than once.
func (s *session) closeRaw() {
	// Replies have been flushed, so nothing is lost by an error here.
	_ = s.raw.Close()
}

// charset is what names are in; nil for UTF-8.
func (s *session) charset() Charset {
	if s.login.account == nil || s.login.utf8 {
		return nil
	}
	return s.login.account.Charset
}

// decode turns octets of a command into UTF-8.
func (s *session) decode(octets string) (string, error) {
	charset := s.charset()
	if charset == nil {
		return octets, nil
	}
	return charset.Decode([]byte(octets))
}

// encode turns UTF-8 into the octets that the client expects. It fails if there are none.
func (s *session) encode(text string) ([]byte, error) {
	charset := s.charset()
	if charset == nil {
		return []byte(text), nil
	}
	return charset.Encode(text)
}
