package quota

import (
	"context"
	"strings"

	"causeway/backends"
)

// claims are the keys, and directories, that are being changed at this moment, each by one:
// what a change takes and gives back can be told only if nobody else changes the same. The
// ledger's lock guards them. A channel is closed when its claim ends.
type claims struct {
	keys map[string]chan struct{}
	dirs map[string]chan struct{} // by prefix
}

// claim waits until nobody changes the keys, or what is below the directories, and keeps
// others from it until release is called. It fails when ctx ends.
func (l *Ledger) claim(ctx context.Context, op string, keys, dirs []string) (release func(), err error) {
	for {
		l.mu.Lock()
		taken := l.claims.conflict(keys, dirs)
		if taken == nil {
			break
		}
		l.mu.Unlock()
		select {
		case <-taken:
		case <-ctx.Done():
			return nil, &backends.Error{Op: op, Key: append(keys, dirs...)[0], Kind: backends.ErrUnavailable, Err: context.Cause(ctx)}
		}
	}
	defer l.mu.Unlock()
	ended := make(chan struct{})
	for _, key := range keys {
		l.claims.keys[key] = ended
		for _, t := range l.around(key) {
			t.count.touch(key)
		}
	}
	for _, dir := range dirs {
		l.claims.dirs[dir] = ended
		for _, t := range l.around(dir) {
			t.count.breakOff()
		}
	}
	return func() { l.unclaim(ended, keys, dirs) }, nil
}

func (l *Ledger) unclaim(ended chan struct{}, keys, dirs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		delete(l.claims.keys, key)
	}
	for _, dir := range dirs {
		delete(l.claims.dirs, dir)
	}
	close(ended)
}

// conflict is a claim that stands in the way, nil if none does.
func (c *claims) conflict(keys, dirs []string) chan struct{} {
	for _, key := range keys {
		if taken := c.keys[key]; taken != nil {
			return taken
		}
		for dir, taken := range c.dirs {
			if strings.HasPrefix(key, dir) {
				return taken
			}
		}
	}
	for _, dir := range dirs {
		for key, taken := range c.keys {
			if strings.HasPrefix(key, dir) {
				return taken
			}
		}
		for other, taken := range c.dirs {
			if strings.HasPrefix(other, dir) || strings.HasPrefix(dir, other) {
				return taken
			}
		}
	}
	return nil
}
