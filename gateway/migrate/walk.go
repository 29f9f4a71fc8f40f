package migrate

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"causeway/backends"
)

// pair is a name and what is there on both sides; at least one of them is not nil.
type pair struct {
	name     string // below both prefixes
	from, to *backends.Object
	unlisted error // why what the source has in a directory is not known
}

func (p pair) directory() bool { return strings.HasSuffix(p.name, "/") }

// walk calls visit with each name that is wanted and that either side has, in byte order, by
// a merge of both listings. The target has a directory if it has its marker: what is below it
// may be deleted, and as long as the source has the directory no gateway writes one then (S67).
// A directory that the source does not list is settled here; nothing is said of what the target
// has in it.
func (m *migration) walk(ctx context.Context, visit func(pair)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	both := merge{from: m.source(ctx), to: m.To.list(ctx)}
	unlisted := "" // the last such directory
	some := false  // of the source
	for {
		p, err := both.next(ctx)
		some = some || p.from != nil
		switch {
		case err != nil:
			return err
		case p.from == nil && p.to == nil && !some:
			return m.From.nothing()
		case p.from == nil && p.to == nil:
			return nil
		case p.unlisted != nil:
			unlisted = p.name
			m.settled(p, Failed, p.unlisted)
		case unlisted != "" && strings.HasPrefix(p.name, unlisted):
		case m.looksAt(p):
			visit(p)
		}
	}
}

// nothing is an error where nothing was listed of a directory, not even itself: a path that was
// mistyped, or a disk that is not mounted, must not be taken for one of which all is at the target.
// Whether the root of a store is there is for the store to tell.
func (t Tree) nothing() error {
	if t.Prefix == "" {
		return nil
	}
	return &backends.Error{Op: "list", Key: t.Prefix, Kind: fs.ErrNotExist, Err: errors.New("there is no such directory, or nothing in it")}
}

// source lists the source, as far as it is wanted where that makes a difference.
func (m *migration) source(ctx context.Context) *cursor {
	if !m.Directories {
		return m.From.list(ctx)
	}
	return m.From.directories(ctx, func(key string) bool { return !m.enters(key[len(m.From.Prefix):]) })
}

// looksAt tells whether the options mean a pair.
func (m *migration) looksAt(p pair) bool {
	return p.name != "" && m.wanted(p.name) && (p.from == nil || !p.from.Since().Before(m.Since))
}

// merge goes through two listings side by side.
type merge struct{ from, to *cursor }

// next is the next pair, the zero pair at the end.
func (b merge) next(ctx context.Context) (pair, error) {
	from, err := b.from.peek(ctx)
	if err != nil {
		return pair{}, err
	}
	to, err := b.to.peek(ctx)
	if err != nil {
		return pair{}, err
	}
	var p pair
	switch {
	case from == nil && to == nil:
		return pair{}, nil
	case to == nil || from != nil && from.Key[len(b.from.prefix):] < to.Key[len(b.to.prefix):]:
		p.setFrom(b.from.take())
	case from == nil || to.Key[len(b.to.prefix):] < from.Key[len(b.from.prefix):]:
		p.setTo(b.to.take())
	default:
		p.setFrom(b.from.take())
		p.setTo(b.to.take())
	}
	return p, nil
}

func (p *pair) setFrom(name string, o *listed) { p.name, p.from, p.unlisted = name, &o.Object, o.err }

func (p *pair) setTo(name string, o *listed) { p.name, p.to = name, &o.Object }

// judge tells which side of a pair counts. Newest wins, by the time from which on each has
// been as it is; ties are the target's. A source's time in the future tells nothing.
func (m *migration) judge(p pair) Outcome {
	switch {
	case p.from == nil:
		return Extra
	case p.to == nil:
		return Missing
	case p.directory():
		return Same
	}
	since := p.from.Since()
	switch {
	case since.After(p.to.Since()) && !since.After(m.now.Add(future)):
		return Stale
	case p.from.Size == p.to.Size:
		return Same
	case since.After(m.now.Add(future)):
		return Ahead
	default:
		return Kept
	}
}

// future is by how much the source's clock may be ahead of ours.
const future = 5 * time.Minute
