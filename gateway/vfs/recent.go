package vfs

import (
	"slices"
	"strings"
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
	asked ftp.Path // the path that the client has given it; another one where both files are kept
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

// stored returns where the session's last upload to p is: beside p where both files are
// kept, else at p.
func (r *recent) stored(p ftp.Path) ftp.Path {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range slices.Backward(r.files) {
		if f.asked == p {
			return f.path
		}
	}
	return p
}

func (r *recent) add(f file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(f.path)
	if len(r.files) == maxRecent {
		r.files = slices.Delete(r.files, 0, 1)
	}
	r.files = append(r.files, f)
}

// move forgets what was at both paths, and remembers what is at to now if it is known to
// be the session's own.
func (r *recent) move(from ftp.Path, to file) {
	_, own := r.get(from)
	r.remove(from)
	r.remove(to.path)
	if own {
		r.add(to)
	}
}

// moveAll is move for all that is below from.
func (r *recent) moveAll(from, to ftp.Path) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, f := range r.files {
		rest, below := strings.CutPrefix(f.path.String(), from.String()+"/")
		if !below {
			continue
		}
		if p, err := to.Join(rest); err == nil {
			r.files[i].path, r.files[i].asked = p, p
		}
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
