// Package multipart is the streaming upload that all part-based stores share (S3 parts,
// GCS objects to compose, Azure blocks): it cuts a stream of unknown length into parts
// that grow, keeps them in memory within one budget for the whole process or on disk,
// sends several at a time, repeats what may be repeated, and ends by Commit or Abort with
// nothing left behind, or by Park with all that arrived kept. It knows no store and makes
// no request: that is the [Target].
//
// Its central type is [Upload].
package multipart

import (
	"context"
	"time"

	"causeway/backends"
)

// Target is what one store does for one upload. Its errors are of the kinds of package
// backends. Every method but Start ends promptly when its ctx does; none keeps a Body or a reader
// of one after it has returned.
type Target interface {
	// Put makes a file that ended inside its first part the object, by one request.
	// Neither Start nor Part has been called then, and Head.Parts is 0.
	Put(ctx context.Context, body *Body) (backends.Object, error)

	// Start begins an upload in parts. It is called once, before the first Part. It may
	// outlast ctx by a few seconds to learn what there is to abort.
	Start(ctx context.Context) error

	// Part stores part n, counted from 1. Several parts are stored at a time. It is
	// called again with the same n and body after backends.ErrUnavailable.
	Part(ctx context.Context, n int, body *Body) error

	// Complete makes parts 1 to parts the object. All of them have been stored.
	Complete(ctx context.Context, parts int) (backends.Object, error)

	// Made tells, after Put or Complete has failed with backends.ErrUnavailable, whether it
	// has made the object all the same. An error if nobody knows.
	Made(ctx context.Context) (bool, error)

	// Keep makes what arrived resumable, and returns how many octets that is: parts 1 to
	// parts, which have been stored, and then tail, which may be sent as one part more or
	// be empty. Later parts that Part has stored are void; none is under way. Start may
	// not have been called, or have failed, and Put or Complete may have. ctx ends at least 15 s
	// after the call. If Keep fails, what was stored is left as it is. Its errors are those
	// of backends.Upload.Park; after errors.ErrUnsupported, and if it keeps nothing and
	// returns 0, Abort is called.
	Keep(ctx context.Context, parts int, tail *Body) (int64, error)

	// Abort gives up what Start and Part have stored, also after any of Start, Part and
	// Complete has failed.
	// It leaves nothing to pay for. It is called again after an error, and also after
	// success when a part has failed or was cancelled, since it may have arrived late. It
	// is not called where Start and Keep were not and Head is the zero value.
	Abort(ctx context.Context) error
}

// Options are the store's limits and the upload's properties. PartSize, MaxPartSize,
// MaxParts are required.
type Options struct {
	PartSize    int64  // octets of the first parts
	MaxPartSize int64  // most octets of one part that the store takes
	MaxParts    int    // most parts that the store takes
	InFlight    int    // most parts being sent at a time, 0 for 4; more than 4 only to a store far away; fewer while the budget is tight
	MD5         bool   // compute Body.MD5 too
	Steps       bool   // each part is stored before Write takes what follows it
	Turns       *Turns // of the store; nil for those of this upload alone
	Size        int64  // octets expected, a hint; 0 if unknown
	Key         string // for the text of errors
	Head        Head

	// Least is how many octets are not worth keeping in Park without one more: those of
	// an object that is appended to.
	Least int64

	// Pause is the time before a part or an abort is tried again, doubled before each
	// further try; 0 for 200 ms.
	Pause time.Duration
}

// Head is what precedes the octets that are written: parts of an upload that is resumed,
// or of an object that is appended to.
type Head struct {
	Parts int   // the first part that is written is Parts+1; with any, Target.Start is not called
	Size  int64 // octets in them
	Held  bool  // the store holds something else of the upload: Target.Abort is called also where no part was sent

	// Make stores the parts, beside what is written; nil if they are stored already. It
	// is not repeated. Its context outlasts that of the upload as that of Target.Part does.
	Make func(ctx context.Context) error
}

// New begins an upload. It makes no request, but for Head.Make, and takes no memory before
// bytes are written. ctx bounds Write and Commit. Requests under way when it ends go on
// until Abort, which cancels them, or Park, which waits for them.
func New(ctx context.Context, t Target, b *Budget, o Options) *Upload {
	if o.InFlight <= 0 {
		o.InFlight = usual
	}
	if o.Turns == nil {
		o.Turns = NewTurns()
	}
	if o.Pause <= 0 {
		o.Pause = defaultPause
	}
	u := &Upload{
		parent: ctx, target: t, budget: b, o: o, sizes: newSizes(b, o),
		sent: o.Head.Parts, kept: o.Head.Parts, offset: o.Head.Size, started: o.Head.Parts > 0,
		holds: o.Head.Parts > 0 || o.Head.Held,
		done:  make(chan sent, o.InFlight+1), stored: make(map[int]struct{}),
	}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	u.sending, u.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	u.part = newBody(b, u.sizes.of(u.sent+1, u.offset), o)
	if o.Head.Make != nil {
		u.kept = 0
		u.inFlight++
		go u.makeHead()
	}
	return u
}
