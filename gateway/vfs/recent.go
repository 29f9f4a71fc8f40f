package vfs

import (
	"slices"
	"sync"

	"causeway/gateway/ftp"
)

// maxRecent is how many of its own uploads a session remembers. Clients ask for the size
// of the last one, or of a batch; ten thousand sessions shall not make a burden of it.
const maxRecent = 16

// recent remembers the last files that a session has stored, for accounts and credentials
// that may put files but not look at them.
type recent struct {
	mu    sync.Mutex
	files []file // oldest first
}

type file struct {
	path  ftp.Path
	entry ftp.Entry
}

func (r *recent) get(p ftp.Path) (ftp.Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.index(p); i >= 0 {
		return r.files[i].entry, true
	}
	return ftp.Entry{}, false
}

func (r *recent) add(p ftp.Path, e ftp.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(p)
	if len(r.files) == maxRecent {
		r.files = slices.Delete(r.files, 0, 1)
	}
	r.files = append(r.files, file{p, e})
}

// move forgets what was at both paths, and remembers what is at to now if it is known to
// be the session's own.
func (r *recent) move(from, to ftp.Path, e ftp.Entry) {
	_, own := r.get(from)
	r.remove(from)
	r.remove(to)
	if own {
		r.add(to, e)
	}
}

func (r *recent) remove(p ftp.Path) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(p)
}

func (r *recent) drop(p ftp.Path) {
	if i := r.index(p); i >= 0 {
		r.files = slices.Delete(r.files, i, i+1)
	}
}

func (r *recent) index(p ftp.Path) int {
	return slices.IndexFunc(r.files, func(f file) bool { return f.path == p })
}
