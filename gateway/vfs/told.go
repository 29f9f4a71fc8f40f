package vfs

import (
	"strings"
	"sync"

	"causeway/gateway/ftp"
)

// told is what a session was told last of a file. A client that goes on with an upload
// sends what follows the octets that it was told of. If something else is there by now,
// which another gateway may have put there, the client's octets must not follow that.
type told struct {
	mu   sync.Mutex
	last *answer
}

type answer struct {
	path    ftp.Path
	size    int64 // octets; 0 also if there was nothing
	parked  bool
	version string // the object's ETag, the upload's id, or nothing; "" if that is not known
}

// nothing is the version of what is not there.
const nothing = "\x00"

func (t *told) set(a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = &a
}

// take returns the answer if it was about p, else nil. It is forgotten: who is refused for
// it asks again, and who goes on knows best what is there then.
func (t *told) take(p ftp.Path) *answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || t.last.path != p {
		return nil
	}
	a := t.last
	t.last = nil
	return a
}

// forget drops the answer if it was about p or what is below it: what the session itself
// changes there is no news to it.
func (t *told) forget(p ftp.Path) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last != nil && strings.HasPrefix(text(t.last.path)+"/", text(p)+"/") {
		t.last = nil
	}
}
