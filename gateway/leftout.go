package gateway

import (
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"causeway/backends/ftp"
	"causeway/gateway/migrate"
)

// maxHeard is how many directories and links are known again; of those beyond, what is left out counts as
// often as they are listed.
const maxHeard = 100_000

// leftOut gathers what listings of a migration leave out. The zero value has heard of nothing.
type leftOut struct {
	mu    sync.Mutex
	seed  maphash.Seed
	heard map[uint64]struct{} // hashes of directories, which may be listed more than once, and of links
	told  migrate.LeftOut
}

// hear counts what a listing of a directory has left out, or one link of it, and tells whether it
// was heard for the first time.
func (l *leftOut) hear(dir string, lines ftp.LeftOut) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heard == nil {
		l.seed, l.heard = maphash.MakeSeed(), make(map[uint64]struct{})
	}
	what := dir
	if lines.Links+lines.Closed > 0 {
		what += "\x00" + lines.Example
	}
	hash := maphash.String(l.seed, what)
	if _, again := l.heard[hash]; again {
		return false
	}
	if len(l.heard) < maxHeard {
		l.heard[hash] = struct{}{}
	}
	l.told.Add(map[migrate.Reason]int64{
		migrate.Undecodable: int64(lines.Undecodable), migrate.Unsafe: int64(lines.Unsafe),
		migrate.Unparsed: int64(lines.Unparsed), migrate.TooLong: int64(lines.TooLong),
		migrate.Linked: int64(lines.Links), migrate.Closed: int64(lines.Closed),
	}, migrate.Example{Directory: dir, Line: lines.Example})
	return true
}

// all is what was heard of.
func (l *leftOut) all() migrate.LeftOut {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.told
	all.Reasons, all.Examples = maps.Clone(all.Reasons), slices.Clone(all.Examples)
	return all
}
