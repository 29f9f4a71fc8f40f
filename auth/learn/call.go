package learn

import (
	"context"
	"errors"

	"causeway/auth"
)

// call is a login that is judged, and what came of it once done is closed.
type call struct {
	name, password string
	done           chan struct{}
	found          *auth.Found
	err            error
}

// join returns the login that is judged for names with one plain form, which is the
// attempt's own if there was none.
func (l *Learner) join(key string, a auth.Attempt) (c *call, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.calls[key]; ok {
		return c, false
	}
	c = &call{name: a.Name, password: a.Password, done: make(chan struct{})}
	l.calls[key] = c
	return c, true
}

// end tells those that wait what came of a login.
func (l *Learner) end(key string, c *call, found *auth.Found, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.found, c.err = found, err
	delete(l.calls, key)
	close(c.done)
}

// answers tells whether what came of the login is an attempt's answer, too: not if the time
// of its own client was over.
func (c *call) answers(a auth.Attempt) bool {
	return c.name == a.Name && c.password == a.Password && !errors.Is(c.err, context.Canceled) && !errors.Is(c.err, context.DeadlineExceeded)
}
