package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
)

// version is a content that a key had, from one tick to another.
type version struct {
	content  []byte
	absent   bool
	from     int64 // tick
	born     time.Time
	until    int64 // tick at which the next version came; 0 if it is the present one
	ended    time.Time
	outside  bool // written behind the gateway's back
	endedOut bool // and ended so
}

// ledger is the store as the model sees it: a decorator right above it, which writes down
// each change at the moment at which it happens and has the world judge it.
type ledger struct {
	*world
	store    *mem.Store
	observer *mem.Store // another process, which is told of every upload that can be resumed
	moves    bool       // the store renames
	copies   bool       // and copies by itself
	keys     map[string][]*version
	parked   map[string]*kept
	open     int // uploads that have not ended
}

// kept is an upload of which the store keeps something, by its id.
type kept struct {
	*upload
	gone time.Time // when it was not there any more; zero while it is
}

func newLedger(w *world) *ledger {
	sizes := []int64{0, 64, 256}
	s := mem.New(mem.Options{PageSize: 2 + w.pick(4), Partial: w.chance(2), PartSize: sizes[w.pick(len(sizes))]})
	return &ledger{
		world: w, store: s, observer: s.Reopen(), moves: w.chance(2), copies: !w.chance(4),
		keys: map[string][]*version{}, parked: map[string]*kept{},
	}
}

// now is the present version of key; one that is absent if it never had another.
func (l *ledger) now(key string) *version {
	if all := l.keys[key]; len(all) > 0 {
		return all[len(all)-1]
	}
	return &version{absent: true}
}

// during calls found for the versions of key that were there at a tick since from, until
// it returns true, and tells whether it did.
func (l *ledger) during(key string, from int64, found func(*version) bool) bool {
	if all := l.keys[key]; (len(all) == 0 || all[0].from > from) && found(&version{absent: true}) {
		return true
	}
	for _, v := range l.keys[key] {
		if (v.until == 0 || v.until >= from) && found(v) {
			return true
		}
	}
	return false
}

// write makes a version the present one of its key.
func (l *ledger) write(key string, v *version) {
	v.from, v.born = l.tick(), time.Now()
	if all := l.keys[key]; len(all) > 0 {
		last := all[len(all)-1]
		last.until, last.ended, last.endedOut = v.from, time.Now(), v.outside
	}
	l.keys[key] = append(l.keys[key], v)
}

// outside changes an object behind the gateway's back.
func (l *ledger) outside(key string, content []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if content == nil {
		l.expect(l.store.Delete(context.Background(), key, backends.DeleteOptions{}))
		l.write(key, &version{absent: true, outside: true})
		return
	}
	u, err := l.store.Create(context.Background(), key, backends.CreateOptions{})
	l.expect(err)
	_, err = u.Write(content)
	l.expect(err)
	_, err = u.Commit()
	l.expect(err)
	l.write(key, &version{content: content, outside: true})
}

// learn finds out by which id the store keeps an upload.
func (l *ledger) learn(u *upload) {
	if u.id != "" {
		return
	}
	for p, err := range backends.ParkedUploads(context.Background(), l.observer, backends.ParkedQuery{Prefix: u.key}) {
		l.expect(err)
		if l.parked[p.ID] == nil && p.Key == u.key {
			u.id = p.ID
			l.parked[p.ID] = &kept{upload: u}
		}
	}
}

// forget notes that an upload is not kept any more.
func (l *ledger) forget(id string) {
	if k := l.parked[id]; k != nil && k.gone.IsZero() {
		k.gone = time.Now()
		k.goneAt = l.tick()
	}
}

func (l *ledger) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	l.within("stat", key)
	return l.store.Stat(ctx, key, o)
}

func (l *ledger) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	l.within("list", q.Prefix)
	return l.store.List(ctx, q)
}

func (l *ledger) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	l.within("open", key)
	return l.store.Open(ctx, key, o)
}

func (l *ledger) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	l.within("delete", key)
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.now(key)
	if err := l.store.Delete(ctx, key, o); err != nil || before.absent {
		return err
	}
	l.judgeDelete(key, before)
	l.write(key, &version{absent: true})
	return nil
}

func (l *ledger) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if !l.copies {
		return backends.Object{}, errors.ErrUnsupported
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	obj, err := l.store.Copy(ctx, dst, src, o)
	if err == nil {
		l.copied(dst, src)
	}
	return obj, err
}

func (l *ledger) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if !l.moves {
		return backends.Object{}, errors.ErrUnsupported
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.now(src)
	obj, err := l.store.Move(ctx, dst, src, o)
	if err == nil {
		l.copied(dst, src)
		l.judgeDelete(src, before)
		l.write(src, &version{absent: true})
	}
	return obj, err
}

func (l *ledger) copied(dst, src string) {
	from := l.now(src)
	l.judgeCopy(dst, src, l.now(dst))
	l.write(dst, &version{content: from.content})
}

func (l *ledger) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	return l.store.Parked(ctx, q)
}

func (l *ledger) Discard(ctx context.Context, p backends.Parked) error {
	l.within("discard", p.Key)
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.store.Discard(ctx, p)
	if err == nil && l.parked[p.ID] != nil && l.parked[p.ID].gone.IsZero() {
		l.seen["discarded"]++
	}
	if err == nil {
		l.forget(p.ID)
	}
	return err
}

// within holds I4 against a call: no key outside of all mounts is touched, but for the
// gateway's own.
func (l *ledger) within(verb, key string) {
	for _, prefix := range []string{"a/", "b/", "s/", backends.Reserved + "/renames/"} {
		if strings.HasPrefix(key, prefix) {
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failf("I4: %s of %q, which is in no mount", verb, key)
}

// audit compares what was written down with what the store has.
func (l *ledger) audit() {
	for key, all := range l.keys {
		want := all[len(all)-1]
		r, err := l.store.Open(context.Background(), key, backends.OpenOptions{})
		if err != nil {
			if !want.absent {
				l.failf("I1: %q has gone: %v", key, err)
			}
			continue
		}
		got, err := io.ReadAll(r)
		if want.absent || err != nil || !bytes.Equal(got, want.content) {
			l.failf("I1: %q holds %s, and not %s (%v)", key, brief(got), brief(want.content), err)
		}
	}
}
