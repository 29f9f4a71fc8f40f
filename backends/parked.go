package backends

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"
)

// Parked is an upload that can be resumed: it was parked, or the gateway that was writing
// it has died.
type Parked struct {
	ID      string    // opaque, for [CreateOptions.Resume] and [Parker.Discard]
	Key     string    // of the object that it would have become
	Size    int64     // octets that are durable
	ModTime time.Time // when the last of them were stored, by the store's clock

	// Tag is [CreateOptions.Tag]. What has one is not for clients to see or to go on with.
	Tag string

	// Open says that nobody has parked it: its gateway has died, or is another one that is
	// writing it. No record tells these apart.
	Open bool
}

// ParkedQuery asks for one page of what is parked.
type ParkedQuery struct {
	Prefix string // keys must begin with it
	Direct bool   // and have no "/" after it
	Fresh  bool   // ask the store, whatever a decorator remembers
	Token  string // ParkedPage.Next of the page before, "" for the first
}

// Matches tells whether q asks for the uploads of key.
func (q ParkedQuery) Matches(key string) bool {
	rest, ok := strings.CutPrefix(key, q.Prefix)
	return ok && !(q.Direct && strings.Contains(rest, "/"))
}

// ParkedPage is one page of what is parked.
type ParkedPage struct {
	Uploads []Parked // of one key may be several; in no order that a caller could count on
	Next    string   // token of the next page, "" when this is the last
}

// Parker is a Backend whose uploads can be parked. A decorator has the methods and asserts
// them of its next: errors.ErrUnsupported if that has none.
type Parker interface {
	// Parked tells what can be resumed. Uploads that this process is writing are not told;
	// those that another process is writing are, with what of them is durable.
	Parked(ctx context.Context, q ParkedQuery) (ParkedPage, error)

	// Discard ends a parked upload and leaves nothing to pay for. That it is not there any
	// more is not an error. ErrBusy if this process is writing it.
	Discard(ctx context.Context, p Parked) error
}

// ParkedUploads yields all that is parked and fits q, page after page; nothing where
// uploads cannot be parked. An error is the last that is yielded.
func ParkedUploads(ctx context.Context, b Backend, q ParkedQuery) iter.Seq2[Parked, error] {
	return func(yield func(Parked, error) bool) {
		p, ok := b.(Parker)
		if !ok {
			return
		}
		var tokens cycle
		for {
			page, err := p.Parked(ctx, q)
			if err == nil && tokens.closes(page.Next) {
				err = badListing(q.Prefix, "the listing goes round in circles")
			}
			if errors.Is(err, errors.ErrUnsupported) {
				return
			}
			if err != nil {
				yield(Parked{}, err)
				return
			}
			for _, upload := range page.Uploads {
				if !yield(upload, nil) {
					return
				}
			}
			if q.Token = page.Next; q.Token == "" {
				return
			}
		}
	}
}

// Sweeper is a Backend in which a writer that was killed can leave what no record of an upload
// tells of. A decorator has the method and calls [Sweep] on its next.
type Sweeper interface {
	// Sweep removes what is provably of uploads, and of none that a record tells of, if all
	// that is there of one was last written before that time, by the store's clock. It tells
	// how many objects went; what is too much for one call is for the next.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Sweep is [Sweeper.Sweep]; it does nothing where a store can have nothing of that kind.
func Sweep(ctx context.Context, b Backend, before time.Time) (int, error) {
	if s, ok := b.(Sweeper); ok {
		return s.Sweep(ctx, before)
	}
	return 0, nil
}

// Discard ends a parked upload of b; see [Parker.Discard].
func Discard(ctx context.Context, b Backend, p Parked) error {
	if parker, ok := b.(Parker); ok {
		return parker.Discard(ctx, p)
	}
	return errors.ErrUnsupported
}
