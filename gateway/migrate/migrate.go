// Package migrate copies what is below a prefix of one store to a prefix of another while both
// go on being used: what is missing, and what is newer at the source. What is newer at the
// target stays, for a client has written it there meanwhile, and what was deleted there does
// not come back. It keeps no state of its own: both listings tell what is left to do, so that
// a run that was killed is gone on with by the next. It knows no FTP and no configuration.
//
// Its central type is [Options], for [Run] and [Diff].
package migrate

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"causeway/backends"
	"causeway/gateway/names"
)

// Tree is all that is in a store below a prefix, which is "" or ends in "/".
type Tree struct {
	Store  backends.Backend
	Prefix string
}

// Options say what is to be copied and how. From and To are required.
type Options struct {
	From, To Tree

	// Directories tells that From is a tree whose store lists one directory after another,
	// whatever it is asked for. So each is asked for by itself: one that is not wanted is not
	// entered, and one that cannot be listed is [Failed], with all that is in it. Where the
	// store has no directories, that would cost a request for each.
	Directories bool

	Files   int            // at a time, 0 for 8
	Rate    int64          // octets a second of all files together, 0 for as fast as it goes
	Include names.Patterns // of names below From; none is all
	Exclude names.Patterns // none is none
	Since   time.Time      // only what was written from then on; the zero Time is all
	DryRun  bool           // tell what would be copied, and copy nothing
	Verify  Verify

	// Gone, if set, tells whether what the source has was deleted at the target, where a gateway
	// notes that. It is asked before a copy, before its commit and after it, from several goroutines.
	Gone func(ctx context.Context, name string, from backends.Object) (bool, error)

	// Signs says that To keeps the metadata that objects are written with. Then each copy says
	// what it is a copy of, and what a client has written is never taken for one.
	Signs bool

	// Tell hears of each file as soon as it is settled, one after another, and of directories
	// that the target has not; nil for none.
	Tell func(Event)

	// Progress, if set, hears of octets as they are read at the source. It is called from
	// several goroutines.
	Progress func(octets int64)
	// Resumed, if set, hears of each try to copy a file of 8 MiB or more how many octets the
	// target has already, which are not read. It is called as Progress is.
	Resumed func(name string, octets int64)
}

// Verify says how it is made sure that what is at the target is what is at the source. The
// size always counts.
type Verify string

const (
	// VerifySums compares what was read with the checksum that the source keeps or computes
	// of the content, if it does. It is the zero value's meaning too.
	VerifySums Verify = "sums"
	// VerifySize compares no content.
	VerifySize Verify = "size"
	// VerifyFull reads both sides, also of what is taken for the same.
	VerifyFull Verify = "full"
)

// defaultFiles is [Options.Files] unless it is set.
const defaultFiles = 8

// Run copies what From has and To has not, or only an older version of. It returns when all
// is settled, file by file, with what has become of them; an error if a listing has failed, but
// for one of [Options.Directories], or ctx has ended, with what was settled by then.
//
// A file of 8 MiB or more that was under way then, or when the process was killed, or when
// either store failed, is gone on with by the next run: after the octets that the target had
// stored, if the source still has the same version. Two runs at once are a waste and no danger:
// each key becomes what one of them has read.
//
// What is found not to have come over rightly is [Differs], and no object is left of it.
func Run(ctx context.Context, o Options) (Report, error) {
	m := newMigration(o)
	work, ctx := errgroup.WithContext(ctx)
	files := o.Files
	if files <= 0 {
		files = defaultFiles
	}
	work.SetLimit(files)
	err := m.walk(ctx, func(p pair) {
		switch v := m.judge(p); {
		case v.copies() && o.DryRun:
			work.Go(func() error { return m.settleUnless(ctx, p, v) })
		case v.copies(), v == Same && o.Verify == VerifyFull && !p.directory():
			work.Go(func() error {
				m.settle(ctx, p, v)
				return ctx.Err()
			})
		case v != Extra:
			m.settled(p, v, nil)
		}
	})
	return m.report, errors.Join(err, work.Wait())
}

// Diff tells how From and To differ, and copies nothing.
func Diff(ctx context.Context, o Options) (Report, error) {
	m := newMigration(o)
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(max(o.Files, 1))
	err := m.walk(ctx, func(p pair) {
		v := m.judge(p)
		if v.copies() {
			work.Go(func() error { return m.settleUnless(ctx, p, v) })
			return
		}
		if v != Same || o.Verify != VerifyFull || p.directory() {
			m.settled(p, v, nil)
			return
		}
		work.Go(func() error {
			m.settle(ctx, p, Same)
			return ctx.Err()
		})
	})
	return m.report, errors.Join(err, work.Wait())
}

// settleUnless tells how the two sides differ in a file that the target lacks.
func (m *migration) settleUnless(ctx context.Context, p pair, v Outcome) error {
	v, err := m.unless(ctx, p, v)
	if ctx.Err() == nil {
		m.settled(p, v, err)
	}
	return ctx.Err()
}

// migration is one run.
type migration struct {
	Options
	pace *rate.Limiter // nil without a limit
	now  time.Time     // when it began
	teller
}

func newMigration(o Options) *migration {
	m := &migration{Options: o, now: time.Now(), teller: teller{tell: o.Tell}}
	if o.Rate > 0 {
		m.pace = rate.NewLimiter(rate.Limit(o.Rate), int(max(min(o.Rate/10, maxChunk), 1)))
	}
	return m
}

// wanted tells whether a name is of those to be copied.
func (m *migration) wanted(name string) bool {
	below := strings.TrimSuffix(name, "/")
	return (len(m.Include) == 0 || m.Include.Match(below)) && !m.excluded(name)
}

// enters tells whether a name of those to be copied can be in a directory.
func (m *migration) enters(name string) bool {
	return (len(m.Include) == 0 || m.Include.MatchBelow(strings.TrimSuffix(name, "/"))) && !m.excluded(name)
}

// excluded tells whether a name, and all that is below it, is not to be copied. What is the
// gateway's own is not.
func (m *migration) excluded(name string) bool {
	return strings.Contains("/"+name+"/", "/"+backends.Reserved+"/") || m.Exclude.Match(strings.TrimSuffix(name, "/"))
}
