package sim

import (
	"slices"
	"strconv"
)

// upload sends a new file, or appends to what is there.
func (c *client) upload(s *session, o *op) {
	path := c.fileName()
	if o.verb == "STOR" {
		path = c.file()
	}
	c.aim(o, path)
	if told := s.take(path); o.verb == "APPE" && told >= 0 {
		o.known = told
	}
	c.send(s, o)
}

// send is an upload of a content of its own.
func (c *client) send(s *session, o *op) {
	d, ok := s.dial()
	if !ok {
		return
	}
	if o.offset > 0 {
		s.rest(o.offset)
	}
	n := one(c.world, 0, 16, 64, 256, 8+c.pick(1500), 8+c.pick(1500))
	c.mu.Lock()
	if n == 0 && c.empties(o.key) {
		n = 16
	}
	o.data = describing(c.number(), n)
	c.mu.Unlock()
	s.begin(o, d)
}

// empties tells whether an empty upload of key is under way: one cannot be told from
// another.
func (w *world) empties(key string) bool {
	return slices.ContainsFunc(w.ops, func(o *op) bool {
		return w.live(o) && o.uploads() && o.key == key && len(o.data) == 0
	})
}

// resume asks how much is there and goes on after that, or, as a client that has lost
// count, elsewhere.
func (c *client) resume(s *session) {
	path := c.fileName()
	if parked := c.abandoned(); parked != "" && !c.chance(4) {
		path = parked
	}
	o := c.aim(&op{verb: "SIZE"}, path)
	s.command(o)
	c.wait()
	c.mu.Lock()
	size, idle := s.told.size, len(s.pending) == 0 && !s.over
	same := s.told.path == path
	c.mu.Unlock()
	if !idle || !same || c.chance(4) {
		return
	}
	s.take(path)
	next := c.aim(&op{verb: "APPE"}, path)
	next.known = size
	if c.chance(2) {
		next = c.aim(&op{verb: "STOR", offset: size}, path)
		if c.chance(3) {
			next.offset = max(1, size+int64(c.pick(100))-50)
		}
	}
	c.send(s, next)
}

// take is what the session was told of path right before, -1 if nothing.
func (s *session) take(path string) int64 {
	c := s.client
	c.mu.Lock()
	defer c.mu.Unlock()
	t := s.told
	s.told = told{}
	if t.path != path {
		return -1
	}
	return t.size
}

func (s *session) rest(offset int64) {
	s.command(&op{verb: "REST", path: strconv.FormatInt(offset, 10)})
	s.client.wait()
}

// rename sends RNFR and RNTO of a file or a directory, or, now and then, one alone.
func (c *client) rename(s *session) {
	from, to := c.fileName(), c.fileName()
	if c.chance(3) {
		from, to = c.dir(), c.dir()
	}
	first := c.aim(&op{verb: "RNFR"}, from)
	s.command(first)
	c.wait()
	c.mu.Lock()
	ok := first.code == 350 && !s.over
	c.mu.Unlock()
	if !ok || c.chance(20) {
		return
	}
	o := c.aim(&op{verb: "RNTO"}, to)
	o.from, o.origin = first.key, first.mount
	s.command(o)
}
