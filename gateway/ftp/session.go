package ftp

import (
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
	// restAfter is how long a session waits for a command before it rests. Most that act
	// in a dialogue send the next one sooner.
	restAfter = time.Second
	// maxUnknown is how many unknown commands are answered before login.
	maxUnknown = 3
)

// session is one control connection. The goroutine that runs serve owns all of it; only
// wake and closeRaw may be called from elsewhere.
//
// A session that waits for long rests: its goroutine, whose stack has grown with what it has
// done, ends, and another goes on, with a stack that is as large as waiting takes.
type session struct {
	server   *Server
	log      *slog.Logger
	raw      net.Conn       // as accepted
	local    netip.AddrPort // of the control connection
	client   netip.Addr
	id       SessionID
	port     uint16 // of the listener
	implicit bool   // TLS from the first octet

	lines  *lineReader
	out    replyBuffer
	queue  []command // read during a transfer, to be run after it
	queued int       // octets in queue
	serial uint64    // number of the current command

	security security
	login    login
	params   parameters
	doing    doing
	transfer *transfer // running now

	idle    time.Duration
	loginBy time.Time
	until   time.Time // when the wait for the next command ends; zero before it begins
	rested  bool      // during that wait
	greeted bool
	unknown int  // commands that were unknown, before login
	leaving bool // QUIT came during a transfer
	closing bool // no further command is read
	hungUp  bool // and nothing more is said
}

func newSession(s *Server, conn net.Conn, listener net.Addr, o ListenOptions) *session {
	id := SessionID([]byte(rand.Text()[:10]))
	ses := &session{
		server:   s,
		id:       id,
		log:      s.config.Log.With(slog.String("session", id.String())),
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
	s.lines.rows = s.server.commands.index
	s.out = replyBuffer{conn: conn}
	s.lines.telnet = func(answer []byte) {
		s.out.write(answer)
		// The client may wait for it before it sends a command. An error stays, and shows
		// at the next flush.
		_ = s.out.Flush()
	}
}

// serve runs the session, from greeting to goodbye unless it comes to rest before. Then it
// is to be called again, in a goroutine of its own.
func (s *session) serve(ctx context.Context) (rests bool) {
	err := s.converse(ctx)
	if errors.Is(err, errResting) {
		return true
	}
	s.params.useRoute(nil)
	s.allowance().Leave()
	s.closeRaw()
	if err != nil {
		s.log.Info("session ended", slog.Any("err", err))
		return false
	}
	s.log.Info("session ended")
	return false
}

// converse greets and then runs command after command. Its error is for the log.
func (s *session) converse(ctx context.Context) error {
	if !s.greeted {
		if err := s.greet(ctx); err != nil {
			return err
		}
	}
	for !s.closing {
		cmd, err := s.next()
		if errors.Is(err, errResting) {
			return err
		}
		if err != nil {
			return s.farewell(err)
		}
		s.serial++
		s.answer(ctx, cmd)
	}
	return s.end()
}

// answer runs a command, and ends what it has left behind: an idle session has no context of
// its own.
func (s *session) answer(ctx context.Context, cmd command) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.allowance().Command(ctx); err != nil {
		s.closing = true // the server has ended the session
		return
	}
	s.put(s.execute(ctx, cmd))
}

func (s *session) greet(ctx context.Context) error {
	s.greeted = true
	s.log.Info("session began", slog.String("remote", s.client.String()), slog.Bool("tls", s.implicit))
	if s.implicit {
		if err := s.secure(ctx); err != nil {
			return err
		}
	}
	s.put(welcome())
	return nil
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
	cmd, err := s.await()
	if !errors.Is(err, errResting) {
		s.until, s.rested = time.Time{}, false
	}
	return cmd, err
}

// await waits for a command. errResting if none has come for a while; the wait goes on with
// the next call.
func (s *session) await() (command, error) {
	if s.until.IsZero() {
		s.lines.wake()
		s.until = s.loginBy
		if s.login.account != nil {
			s.until = time.Now().Add(s.idle)
		}
	}
	deadline, rests := s.until, false
	if soon := time.Now().Add(restAfter); !s.rested && soon.Before(deadline) {
		deadline, rests = soon, true
	}
	if err := s.raw.SetReadDeadline(deadline); err != nil {
		return command{}, err
	}
	// After the deadline was set: Shutdown may have called wake before that.
	if s.server.stopping() {
		return command{}, errStopping
	}
	cmd, err := s.read()
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case s.server.stopping():
		return command{}, errStopping // it was wake
	case rests:
		s.rested = true
		s.lines.rest()
		s.out.rest()
		return command{}, errResting
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
	s.out.add(r, s.encoder())
	if r.code == 421 {
		s.closing = true
	}
}

// refuse ends a session that has not begun, and tells the client why unless it expects TLS.
func (s *session) refuse(why string) {
	if !s.implicit {
		s.put(reply{code: 421, text: why})
		_ = s.out.Flush() // whether it hears the reason is luck
	}
	s.closeRaw()
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

// encoder turns UTF-8 into the octets that the client expects. It fails if there are none.
type encoder func(string) ([]byte, error)

// encoder is nil for UTF-8.
func (s *session) encoder() encoder {
	if charset := s.charset(); charset != nil {
		return charset.Encode
	}
	return nil
}
