package sim

import (
	"testing/synctest"
	"time"
)

// wait lets all move until nothing does.
func (w *world) wait() { synctest.Wait() }

// act lets a client do one thing.
func (c *client) act() {
	if !c.online() {
		c.connect()
		return
	}
	s := c.session
	c.mu.Lock()
	waiting, d, leaving := s.first(), s.transfer, s.leaving
	running := waiting != nil && d != nil && waiting == d.op
	c.mu.Unlock()
	switch {
	case running:
		c.during(s, d)
	case leaving:
		if c.chance(4) {
			s.kill(c.chance(2), true)
		}
	case waiting != nil:
		c.impatient(s)
	default:
		c.next(s)
	}
}

// impatient is what a client does whose command is not answered yet.
func (c *client) impatient(s *session) {
	switch n := c.pick(20); {
	case n < 16:
	case n < 18:
		s.command(&op{verb: "NOOP"})
	default:
		s.kill(c.chance(2), true)
	}
}

// during is what a client does while its transfer runs.
func (c *client) during(s *session, d *data) {
	n := c.pick(100)
	switch {
	case n < 70:
		c.proceed(d, n)
	case n < 78:
		s.command(&op{verb: one(c.world, "NOOP", "NOOP", "STAT")})
	case n < 82: // half a line
		c.mu.Lock()
		s.start()
		c.mu.Unlock()
		if c.chance(2) {
			s.kill(c.chance(2), c.chance(2))
		}
	case n < 86:
		c.note("%d resets data", s.number())
		d.cut(true)
	case n < 90:
		c.mu.Lock()
		d.op.cutOff()
		c.mu.Unlock()
		s.command(&op{verb: "ABOR"})
	case n < 92:
		s.command(&op{verb: "QUIT"})
		if c.chance(2) { // fire and forget
			d.finish()
			s.control.end()
		}
	case n < 96, s.leaving:
		c.note("%d is killed", s.number())
		s.kill(c.chance(2), c.chance(2))
	default:
		c.endAround(s, d)
	}
}

// proceed goes on with a transfer as it should.
func (c *client) proceed(d *data, n int) {
	if d.op.fetches() {
		d.take()
		return
	}
	c.mu.Lock()
	ready := d.connected() && !d.over && d.op.begun
	if ready && n < 40 {
		d.put(1 + c.pick(300))
	}
	c.mu.Unlock()
	if ready && n >= 40 {
		d.complete()
	}
}

// endAround ends data and control near each other in time: the control connection just
// before, with, or within the grace after the data, which ends too early.
func (c *client) endAround(s *session, d *data) {
	c.note("%d ends both", s.number())
	c.mu.Lock()
	if d.over {
		c.mu.Unlock()
		s.kill(c.chance(2), true)
		return
	}
	d.op.cutOff()
	s.cutting = true
	if d.connected() && !d.over && d.op.uploads() && d.op.begun {
		d.put(c.pick(len(d.left) + 1))
	}
	c.mu.Unlock()
	between := time.Duration(c.pick(int(grace/time.Millisecond))) * time.Millisecond
	if c.chance(2) {
		s.control.end()
		time.Sleep(between)
		d.cut(false)
		return
	}
	c.mu.Lock()
	d.over = true
	if d.connected() {
		d.wire.end()
	}
	c.mu.Unlock()
	time.Sleep(between)
	s.kill(c.chance(2), true)
}

// next sends the next command of a session in which none runs.
func (c *client) next(s *session) {
	switch n := c.pick(100); {
	case n < 24:
		c.upload(s, &op{verb: "STOR"})
	case n < 27:
		c.upload(s, &op{verb: "STOU"})
	case n < 33:
		c.upload(s, &op{verb: "APPE"})
	case n < 43:
		c.resume(s)
	case n < 55:
		c.fetch(s, &op{verb: "RETR", path: c.file()})
	case n < 62:
		c.fetch(s, &op{verb: one(c.world, "MLSD", "LIST", "NLST"), path: c.dir()})
	case n < 72:
		c.simple(s, one(c.world, "SIZE", "SIZE", "MLST"), c.file())
	case n < 78:
		c.simple(s, "DELE", c.file())
	case n < 86:
		c.rename(s)
	case n < 96:
		c.simple(s, one(c.world, "MKD", "RMD", "CWD"), c.dir())
	case n < 98:
		c.simple(s, one(c.world, "NOOP", "STAT", "ABOR"), "")
	case n < 99:
		s.command(&op{verb: "QUIT"})
	default:
		s.kill(c.chance(2), true)
	}
}

// file draws a path, often one of a register.
func (c *client) file() string {
	if c.chance(4) {
		return c.account.register(c.world)
	}
	return c.fileName()
}

func (c *client) dir() string {
	if d := c.dirName(); d != "" {
		return d
	}
	return "/"
}

// aim is a command on a path.
func (c *client) aim(o *op, path string) *op {
	o.path, o.key, o.mount, o.known = path, c.account.key(path), c.account.mountOf(path), -1
	return o
}

func (c *client) simple(s *session, verb, path string) {
	o := &op{verb: verb}
	if path != "" {
		c.aim(o, path)
	}
	s.command(o)
}

func (c *client) fetch(s *session, o *op) {
	c.aim(o, o.path)
	d, ok := s.dial()
	if !ok {
		return
	}
	if o.verb == "RETR" && c.chance(4) {
		o.offset = int64(c.pick(300))
		s.rest(o.offset)
	}
	s.begin(o, d)
	if !c.chance(4) {
		c.wait()
		d.take()
	}
}
