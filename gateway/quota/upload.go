package quota

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"time"

	"causeway/backends"
)

// Create is [backends.Backend.Create]. An upload that is longer than fits, as far as its size
// was announced, is refused at once. Where the tree has not been counted yet, it waits for
// that, and fails with ErrUnavailable if it takes too long.
func (b Backend) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u := &upload{backend: b, ctx: ctx, key: key, options: o, trees: b.ledger.of(key)}
	if u.other = o.Alternate; u.other != nil {
		u.options.Alternate = u.alternate
	}
	err := b.ledger.counted(ctx, key, u.trees)
	switch {
	case err != nil:
	case len(u.trees) > 0 && o.Resume != "":
		err = u.resume()
	case len(u.trees) > 0:
		err = u.begin()
	default:
		u.size = o.At
		u.next, err = b.next.Create(ctx, key, u.options)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// upload holds what it has grown to. It is used by one goroutine.
type upload struct {
	next    backends.Upload
	backend Backend
	ctx     context.Context
	key     string
	options backends.CreateOptions
	other   func() string     // options.Alternate as it was
	claimed map[string]func() // keys that the commit has claimed, with what ends that
	trees   []*tree           // in which it holds

	size    int64  // octets of the object that it would be now
	held    Amount // of that
	credit  Amount // what is going to be given back for it: it need not be held
	asked   bool   // for the credit
	doubted bool   // nobody knows whether it was committed: it was counted then
	over    bool
}

// begin begins an upload that is not parked.
func (u *upload) begin() error {
	err := u.grow(u.options.At)
	if err == nil {
		err = u.announce()
	}
	if err == nil {
		u.next, err = u.backend.next.Create(u.ctx, u.key, u.options)
	}
	if err != nil {
		u.end()
	}
	return err
}

// announce refuses what is announced and will not fit, and holds nothing for it: devices
// round up.
func (u *upload) announce() error {
	size, held := u.size, u.held
	if err := u.grow(min(u.options.Size, math.MaxInt64-size)); err != nil {
		return err
	}
	u.backend.ledger.release(u.trees, u.held.minus(held))
	u.size, u.held = size, held
	return nil
}

// resume goes on with a parked upload: what that counted is held now.
func (u *upload) resume() error {
	l := u.backend.ledger
	release, err := l.claim(u.ctx, "create", []string{u.key}, nil)
	if err != nil {
		return err
	}
	defer release()
	was, err := u.backend.parkedAs(u.ctx, u.key, u.options.Resume)
	if err != nil {
		return err
	}
	l.parking(u.trees)
	u.next, err = u.backend.next.Create(u.ctx, u.key, u.options)
	if err != nil {
		l.settlePark(u.trees, Amount{}, Amount{})
		if errors.Is(err, backends.ErrUnavailable) {
			l.doubt(u.trees)
		}
		return err
	}
	u.size, u.held = u.options.At, Amount{u.options.At, 1}
	l.settlePark(u.trees, Amount{}.minus(was), Amount{}.minus(u.held))
	if err := u.announce(); err != nil {
		// What was parked is better kept than the room for it.
		return errors.Join(err, u.backToPark())
	}
	return nil
}

// backToPark parks an upload again that was resumed in vain.
func (u *upload) backToPark() error {
	u.backend.ledger.parking(u.trees)
	n, err := u.next.Park()
	u.parked(n, err)
	return err
}

// grow holds n octets more, or nothing: ErrQuota then.
func (u *upload) grow(n int64) error {
	if u.over || len(u.trees) == 0 {
		u.size += n
		return nil
	}
	l := u.backend.ledger
	need := func() Amount { return Amount{u.size + n, 1}.minus(u.credit).positive() }
	more := need().minus(u.held)
	fits := l.hold(u.trees, more, Amount{})
	if !fits && !u.asked {
		if err := u.ask(); err != nil {
			return err
		}
		more = need().minus(u.held)
		fits = l.hold(u.trees, more, Amount{})
	}
	if !fits {
		return refusal("write", u.key)
	}
	u.size, u.held = u.size+n, u.held.plus(more)
	return nil
}

// ask finds out what the upload is going to replace, the object of its key and what is
// parked there, once it matters.
func (u *upload) ask() error {
	u.asked = true
	if !u.options.IfAbsent {
		old, err := u.backend.amount(u.ctx, u.key)
		if err != nil {
			return err
		}
		u.credit = old
	}
	superseded, err := u.superseded()
	u.credit = u.credit.plus(superseded)
	return err
}

// superseded is what is parked and ends when the upload is committed: all of its key, unless
// it may get another. What the credentials may not see counts as nothing.
func (u *upload) superseded() (Amount, error) {
	if u.options.Alternate != nil {
		return Amount{}, nil
	}
	all, err := u.backend.parkedAs(u.ctx, u.key, "")
	if errors.Is(err, fs.ErrPermission) {
		return Amount{}, nil
	}
	return all, err
}

func (u *upload) Write(p []byte) (int, error) {
	if err := u.grow(int64(len(p))); err != nil {
		return 0, err
	}
	return u.next.Write(p)
}

// alternate claims another key for the upload, under which it may become what is counted.
func (u *upload) alternate() string {
	key := u.other()
	_ = u.claim(key) // the commit ends with ctx itself
	return key
}

// claim claims a key until the commit has ended.
func (u *upload) claim(key string) error {
	if u.claimed[key] != nil {
		return nil
	}
	release, err := u.backend.ledger.claim(u.ctx, "commit", []string{key}, nil)
	if err != nil {
		return err
	}
	if u.claimed == nil {
		u.claimed = make(map[string]func())
	}
	u.claimed[key] = release
	return nil
}

func (u *upload) unclaim() {
	for _, release := range u.claimed {
		release()
	}
	clear(u.claimed)
}

// join has the upload count in the trees that have been limited since it began.
func (u *upload) join() {
	trees := u.backend.ledger.of(u.key)
	if len(u.trees) > 0 {
		u.backend.ledger.force(trees, u.trees, u.held)
	}
	u.trees = trees
}

// Flush is [backends.Flusher.Flush].
func (u *upload) Flush() error { return backends.Flush(u.next) }

// Commit counts by how much the new object is larger than the old one, which is looked at
// while nobody else can change it.
func (u *upload) Commit() (backends.Object, error) {
	l := u.backend.ledger
	defer u.unclaim()
	if u.join(); len(u.trees) == 0 || u.over || u.doubted {
		return u.next.Commit()
	}
	if err := u.claim(u.key); err != nil {
		return backends.Object{}, err
	}
	change, err := u.exchange()
	switch {
	case errors.Is(err, backends.ErrQuota):
		u.end()
		return backends.Object{}, errors.Join(err, u.next.Abort())
	case err != nil:
		return backends.Object{}, err
	}
	obj, err := u.next.Commit()
	switch {
	case err == nil:
		l.settle(u.trees, obj.Key, change, u.held)
		u.held, u.over = Amount{}, true
	case errors.Is(err, backends.ErrUnavailable):
		l.settle(u.trees, u.key, u.held, u.held)
		u.held, u.doubted = Amount{}, true
		l.doubt(u.trees)
	default:
		u.end()
	}
	return obj, err
}

// exchange holds what the commit takes, no more and no less, and returns by how much it
// changes what is stored. The key is claimed.
func (u *upload) exchange() (change Amount, err error) {
	l := u.backend.ledger
	change = Amount{u.size, 1}
	if !u.options.IfAbsent {
		old, err := u.backend.amount(u.ctx, u.key)
		if err != nil {
			return Amount{}, err
		}
		change = change.minus(old)
	}
	more := change.positive().minus(u.held)
	fits := l.hold(u.trees, more, Amount{})
	if !fits {
		over, err := u.superseded()
		if err != nil {
			return Amount{}, err
		}
		fits = l.hold(u.trees, more, over)
	}
	if !fits {
		return Amount{}, refusal("commit", u.key)
	}
	u.held = u.held.plus(more)
	return change, nil
}

// parkTimeout bounds the wait of a parking for who is changing the same key.
const parkTimeout = 30 * time.Second

// Park keeps what arrived if that fits beside what it would have replaced, else nothing. An
// upload that was parked before is kept anyhow: it exceeds the limit by no more than that.
func (u *upload) Park() (int64, error) {
	l := u.backend.ledger
	if u.join(); len(u.trees) == 0 || u.over {
		return u.next.Park()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.ctx), parkTimeout)
	defer cancel()
	release, err := l.claim(ctx, "park", []string{u.key}, nil)
	if err != nil {
		u.end()
		return 0, errors.Join(err, u.next.Abort())
	}
	defer release()
	if more := (Amount{u.size, 1}).minus(u.held); !u.doubted && u.size > 0 {
		switch {
		case l.hold(u.trees, more, Amount{}):
		case u.options.Resume != "":
			l.force(u.trees, nil, more)
		default:
			u.end()
			return 0, u.next.Abort()
		}
		u.held = u.held.plus(more)
	}
	l.parking(u.trees)
	n, err := u.next.Park()
	u.parked(n, err)
	return n, err
}

// parked counts what has become of an upload that was parked.
func (u *upload) parked(n int64, err error) {
	l := u.backend.ledger
	var change Amount
	switch {
	case err == nil && n > 0:
		change = Amount{n, 1}
	case err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, backends.ErrChanged) && u.size > 0:
		change = Amount{u.size, 1} // at worst
		l.doubt(u.trees)
	}
	l.settlePark(u.trees, change, u.held)
	u.held, u.over = Amount{}, true
}

// Abort gives back what was held.
func (u *upload) Abort() error {
	u.end()
	return u.next.Abort()
}

func (u *upload) end() {
	if !u.over {
		u.backend.ledger.release(u.trees, u.held)
		u.held, u.over = Amount{}, true
	}
}
