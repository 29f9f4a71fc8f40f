package sim

import (
	"bytes"
	"context"
	"errors"

	"causeway/backends"
)

// upload is one on its way through the ledger, which knows all its octets.
type upload struct {
	*ledger
	next    backends.Upload
	key     string
	options backends.CreateOptions
	id      string   // by which the store keeps it; "" while it does not
	base    int      // how many octets it was begun with
	onto    *version // of the object that these are from; nil if there is none
	content []byte
	whole   int // of the parked upload that it goes on with: its size then
	over    bool
	goneAt  int64 // tick at which it was not kept any more
	op      *op   // that its commit was for
}

// Create is [backends.Backend.Create].
func (l *ledger) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	l.within("create", key)
	l.mu.Lock()
	defer l.mu.Unlock()
	u := &upload{ledger: l, key: key, options: o}
	switch {
	case o.Resume != "":
		if from := l.parked[o.Resume]; from != nil {
			u.whole = l.durable(key, o.Resume)
			u.content = bytes.Clone(from.content[:min(o.At, int64(len(from.content)))])
		}
	case o.At > 0:
		u.onto = l.now(key)
		u.content = bytes.Clone(u.onto.content[:min(o.At, int64(len(u.onto.content)))])
	}
	u.base = len(u.content)
	var err error
	if u.next, err = l.store.Create(ctx, key, o); err != nil {
		return nil, err
	}
	l.forget(o.Resume)
	l.open++
	l.learn(u)
	return u, nil
}

// durable is how many octets the store keeps of a parked upload.
func (l *ledger) durable(key, id string) int {
	for p, err := range backends.ParkedUploads(context.Background(), l.observer, backends.ParkedQuery{Prefix: key}) {
		l.expect(err)
		if p.ID == id {
			return int(p.Size)
		}
	}
	return -1
}

func (u *upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	n, err := u.next.Write(p)
	u.content = append(u.content, p[:n]...)
	u.learn(u)
	return n, err
}

func (u *upload) Commit() (backends.Object, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	obj, err := u.next.Commit()
	if !errors.Is(err, backends.ErrUnavailable) {
		defer u.end()
	}
	if err != nil {
		return obj, err
	}
	u.judgeCommit(u, obj.Key, u.now(obj.Key))
	u.write(obj.Key, &version{content: u.content})
	u.forget(u.id)
	return obj, nil
}

func (u *upload) Park() (int64, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	defer u.end()
	n, err := u.next.Park()
	u.learn(u)
	switch {
	case err == nil && n == 0:
		u.forget(u.id)
	case err == nil:
		u.seen["parked"]++
	}
	return n, err
}

func (u *upload) Abort() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.over {
		u.forget(u.id)
	}
	defer u.end()
	return u.next.Abort()
}

func (u *upload) end() {
	if !u.over {
		u.over = true
		u.ledger.open--
	}
}
