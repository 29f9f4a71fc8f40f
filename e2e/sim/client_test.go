package sim

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// client is who logs in with an account again and again.
type client struct {
	*world
	account *account
	addr    netip.Addr
	session *session // the last one
}

// session is a control connection of a client.
type session struct {
	client   *client
	control  *wire
	pending  []*op // commands without a final reply, in the order in which they were sent
	half     bool  // the last line has no end yet
	leaving  bool  // QUIT was sent
	closing  bool  // 421 has come
	over     bool  // the connection has ended
	cutting  bool  // by the client
	transfer *data // the last data connection; nil if there was none
	told     told
}

// told is what the session was told of a file right before.
type told struct {
	path string
	size int64
}

// connect opens a session and logs in.
func (c *client) connect() {
	conn, err := c.net.Dial(context.Background(), netip.AddrPortFrom(c.addr, 0), serverAddr)
	if err != nil {
		return // the gateway is being drained
	}
	s := &session{client: c, control: newWire(conn)}
	c.mu.Lock()
	c.session = s
	c.mu.Unlock()
	s.command(&op{verb: "hello"})
	go s.listen()
	s.command(&op{verb: "USER", path: c.account.name})
	s.command(&op{verb: "PASS", path: "x"})
	s.command(&op{verb: "TYPE", path: "I"})
}

// command sends one.
func (s *session) command(o *op) {
	w := s.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	s.complete()
	s.enlist(o)
	if o.verb != "hello" {
		s.leaving = s.leaving || o.verb == "QUIT"
		s.control.send([]byte(strings.TrimSuffix(o.verb+" "+o.path, " ") + "\r\n"))
	}
}

// enlist makes a command one that waits for its replies. mu is held.
func (s *session) enlist(o *op) {
	w := s.client.world
	o.client, o.session, o.gateway, o.faults = s.client, s, w.gateway.number, w.faults
	o.number, o.at, o.invoked = w.number(), time.Now(), w.tick()
	w.ops = append(w.ops, o)
	if o.uploads() || o.verb == "DELE" || o.verb == "RNTO" {
		s.told = told{} // what the client itself changes it knows best
	}
	s.pending = append(s.pending, o)
	w.commands++
	w.event(fmt.Sprintf("%d> %s", s.number(), o))
}

// start sends half a line, and complete the rest of it. mu is held.
func (s *session) start() {
	if !s.half {
		s.half = true
		s.control.send([]byte("NOO"))
	}
}

func (s *session) complete() {
	if s.half {
		s.half = false
		s.enlist(&op{verb: "NOOP"})
		s.control.send([]byte("P\r\n"))
	}
}

func (s *session) number() int { return slices.Index(s.client.clients, s.client) }

// listen takes replies until the connection ends.
func (s *session) listen() {
	r := bufio.NewReader(s.control)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			s.ended(err)
			return
		}
		s.heard(r, line)
	}
}

// heard takes one reply, of which the first line has come.
func (s *session) heard(r *bufio.Reader, line string) {
	text := line
	for len(line) > 3 && line[3] == '-' || line[0] == ' ' {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			break
		}
		text += line
	}
	w := s.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	w.event(fmt.Sprintf("%d< %s", s.number(), strings.TrimSpace(text)))
	for part := range strings.SplitAfterSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if body := strings.TrimSuffix(strings.TrimSuffix(part, "\n"), "\r"); body == part || strings.ContainsAny(body, "\r\n\x00") {
			w.failf("I6: malformed reply %q", text)
		}
	}
	if strings.Contains(text, secret) {
		w.failf("I4: told of what is in no mount: %q", text)
	}
	code := 0
	if _, err := fmt.Sscanf(line, "%3d ", &code); err != nil || code < 100 || code > 599 {
		w.failf("I6: reply without a code: %q", text)
		return
	}
	s.reply(code, text)
}

// reply gives a reply to the command that it answers.
func (s *session) reply(code int, text string) {
	w := s.client.world
	switch {
	case code == 421:
		s.closing = true
		if len(s.pending) > 0 {
			s.finish(0, code, text)
		}
	case len(s.pending) == 0:
		w.failf("I6: a reply to nothing: %q", text)
	case code < 200:
		s.preliminary(text)
	default:
		s.finish(s.answered(code), code, text)
	}
}

func (s *session) preliminary(text string) {
	o := s.pending[0]
	if !o.transfers() || o.begun {
		s.client.failf("I6: %q to %s", strings.TrimSpace(text), o)
		return
	}
	o.begun = true
	if _, name, ok := strings.Cut(text, "FILE: "); ok && o.unique() {
		dir := o.path[:strings.LastIndexByte(o.path, '/')+1]
		o.key = s.client.account.key(dir + name[strings.LastIndexByte(name, '/')+1:len(name)-2])
	}
}

// answered is the index of the command that a final reply is to: NOOP and STAT are
// answered while a transfer runs.
func (s *session) answered(code int) int {
	head := s.pending[0]
	if (head.transfers() || head.verb == "RNTO") && (code == 200 || code == 211) && len(s.pending) > 1 {
		return 1
	}
	return 0
}

// finish ends a command by its final reply.
func (s *session) finish(i, code int, text string) {
	o := s.pending[i]
	s.pending = slices.Delete(s.pending, i, i+1)
	o.code, o.text, o.returned = code, text, s.client.tick()
	s.client.judgeReply(o)
	if d := s.transfer; d != nil && d.op == o && !d.reading {
		d.drop(false)
	}
}

// ended notes that the control connection has ended.
func (s *session) ended(err error) {
	w := s.client.world
	w.mu.Lock()
	defer w.mu.Unlock()
	s.over = true
	expected := s.cutting || s.closing || s.leaving || w.gateway.ended != nil
	if o := s.first(); !expected {
		w.failf("I6: the gateway has hung up on %v: %v", o, err)
	}
	s.control.end()
	if d := s.transfer; d != nil && !s.cutting && !d.reading {
		d.drop(true)
	}
}

func (s *session) first() *op {
	if len(s.pending) == 0 {
		return nil
	}
	return s.pending[0]
}

// vanish ends the client's connections without a word.
func (c *client) vanish() {
	if c.session != nil {
		c.session.kill(true, true)
	}
}

// kill ends the control connection and the data connection, in this order or the other.
func (s *session) kill(hard, controlFirst bool) {
	w := s.client.world
	w.mu.Lock()
	s.cutting = true
	for _, o := range s.pending {
		o.cutOff()
	}
	d := s.transfer
	w.mu.Unlock()
	if controlFirst {
		s.control.cut(hard)
	}
	if d != nil {
		d.cut(hard || s.leaving) // else nothing would tell the end from that of a whole file
	}
	s.control.cut(hard)
}

// settle brings what the client does to an end that it can wait for.
func (c *client) settle() {
	if !c.online() {
		return
	}
	s := c.session
	c.mu.Lock()
	s.complete()
	d := s.transfer
	c.mu.Unlock()
	if d != nil {
		d.finish()
	}
}

// settled holds R10 against a session after a time that is longer than all time-outs:
// every command was answered.
func (c *client) settled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.session; s != nil && !s.cutting && !s.over {
		c.failf("R10: a session of %s goes on, waiting for %v", c.account.name, s.first())
	} else if s != nil && !s.cutting && !s.closing && !s.leaving && c.gateway.ended == nil && len(s.pending) > 0 {
		c.failf("R10: %s was not answered", s.first())
	}
}

// online tells whether the client has a session that has not ended.
func (c *client) online() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session != nil && !c.session.over && !c.session.cutting
}
