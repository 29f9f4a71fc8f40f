package readthrough

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"causeway/backends"
)

// fromBehind is what the ETags of versions behind begin with, so that none is taken for one of
// the front.
const fromBehind = backends.BehindETag

// directoryETag is that of all markers behind: nothing of a directory is a version of it.
const directoryETag = fromBehind + "/"

// mirrored is how much later than the front a version of the same size may have been written
// behind, where what is written here is written there too, to be taken for that.
const mirrored = 10 * time.Minute

// look is a question about one key of a route.
type look struct {
	routes *Routes
	front  backends.Backend
	route  Route
	key    string
	fresh  bool // of tombstones: ask the store, whatever the cache remembers
}

// at begins a question about key; false where no route has it.
func (b Backend) at(key string) (look, bool) {
	route, ok := b.routes.of(key)
	if !ok || !route.reaches(key) {
		return look{}, false
	}
	return look{routes: b.routes, front: b.front, route: route, key: key}, true
}

// version is what counts as the object of a key.
type version struct {
	object backends.Object
	behind bool
	here   *backends.Object // what the front has, be it older
}

// counts tells which version counts. fs.ErrNotExist if there is none. While what is behind
// cannot be asked, or takes too long to answer, what is here counts; if there is nothing, nobody
// knows.
func (l look) counts(ctx context.Context, o backends.StatOptions) (version, error) {
	var here backends.Object
	var hereErr error
	behind := l.beside(ctx, o, func() error {
		here, hereErr = l.front.Stat(ctx, l.key, o)
		return hereErr
	})
	if hereErr == nil && behind.err == nil && here.Partial && l.newer(behind.object, here) {
		// What a listing or a write has told of it may lack when it was written.
		here, hereErr = l.front.Stat(ctx, l.key, backends.StatOptions{Complete: true})
	}
	if hereErr != nil && !absent(hereErr) {
		return version{}, hereErr
	}
	return l.judge(ctx, outcome{here, hereErr}, behind)
}

// outcome is an answer about one side; of the front no other errors than that there is nothing.
type outcome struct {
	object backends.Object
	err    error
}

// judge is counts by what both sides have answered.
func (l look) judge(ctx context.Context, here, behind outcome) (version, error) {
	v := version{object: here.object}
	if here.err == nil {
		v.here = &here.object
	}
	switch {
	case behind.err != nil && !absent(behind.err) && here.err != nil:
		return version{}, behind.err
	case behind.err != nil, here.err == nil && !l.newer(behind.object, here.object):
		return v, here.err
	}
	hidden, err := l.hidden(ctx, behind.object.ModTime)
	switch {
	case err != nil:
		return version{}, err
	case hidden:
		return v, here.err
	}
	v.object, v.behind = l.shown(behind.object), true
	return v, nil
}

// newer tells whether a version behind counts before the one here: it was written later than
// that, by its date, which is not in the future, and is neither its copy nor its source.
func (l look) newer(behind, here backends.Object) bool {
	written := here.ModTime
	if !here.Stored.IsZero() {
		written = here.Stored
	}
	late := behind.ModTime.Sub(written)
	switch {
	case marker(l.key), late <= 0, behind.ModTime.After(l.routes.now()), twins(behind, here):
		return false
	}
	return !(l.route.Mirror && behind.Size == here.Size && late <= mirrored)
}

// twins tells whether one is a copy of the other that has kept its time: to the second, as
// FTP tells it.
func twins(a, b backends.Object) bool {
	return a.Size == b.Size && a.Time().Unix() == b.Time().Unix()
}

// resolve tells which version the ETag of one behind names now: that, or its copy here.
// ErrChanged if there is neither, or if it does not count any more.
func (l look) resolve(ctx context.Context, etag string) (version, error) {
	v, err := l.counts(ctx, backends.StatOptions{Complete: true})
	switch {
	case absent(err):
		return version{}, changed("look", l.key)
	case err != nil:
		return version{}, err
	case !v.behind && marker(l.key):
		return v, nil
	case v.behind:
		return v, l.means(ctx, etag, v.object)
	}
	source, err := l.statBehind(ctx, backends.StatOptions{Complete: true})
	if err != nil && !absent(err) {
		return version{}, err
	}
	if err != nil || !twins(source, v.object) {
		return version{}, changed("look", l.key)
	}
	return v, l.means(ctx, etag, l.shown(source))
}

// means fails with ErrChanged unless an ETag of one behind is of the version obj. Only the store
// can tell where it is another one than obj's: that of a listing may say less of the time.
func (l look) means(ctx context.Context, etag string, obj backends.Object) error {
	if obj.ETag == etag {
		return nil
	}
	etag, _ = pinned(etag)
	r, err := l.route.Behind.Open(ctx, l.route.behind(l.key), backends.OpenOptions{IfMatch: etag, Offset: obj.Size})
	switch {
	case err == nil:
		return r.Close()
	case absent(err), errors.Is(err, backends.ErrRange):
		return changed("look", l.key)
	}
	return l.failed(ctx, err)
}

// statBehind describes what is behind the key, whatever tombstones say. What it cannot be asked
// is told to the observer.
func (l look) statBehind(ctx context.Context, o backends.StatOptions) (backends.Object, error) {
	obj, err := l.route.Behind.Stat(ctx, l.route.behind(l.key), o)
	return obj, l.failed(ctx, err)
}

// visible is the version behind that no tombstone hides; fs.ErrNotExist if there is none.
func (l look) visible(ctx context.Context) (backends.Object, error) {
	obj, err := l.statBehind(ctx, backends.StatOptions{})
	if err != nil {
		return backends.Object{}, err
	}
	hidden, err := l.hidden(ctx, obj.ModTime)
	if err == nil && hidden {
		err = &backends.Error{Op: "stat", Key: l.key, Kind: fs.ErrNotExist}
	}
	return obj, err
}

// shown is an object behind as the key's.
func (l look) shown(obj backends.Object) backends.Object {
	obj.Key = l.key
	obj.ETag = fromBehind + obj.ETag
	if marker(l.key) {
		obj.ETag, obj.Size = directoryETag, 0
	}
	return obj
}

// pinned is the ETag behind that one of [look.shown] names; false if it is the front's.
func pinned(etag string) (string, bool) { return strings.CutPrefix(etag, fromBehind) }

// failed tells the observer of an error of what is behind, unless it is an answer.
func (l look) failed(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil && !absent(err) && !errors.Is(err, fs.ErrPermission) &&
		!errors.Is(err, backends.ErrChanged) && !errors.Is(err, backends.ErrRange) {
		l.routes.tell(ctx, l.route, Unreachable, l.key, err)
	}
	return err
}

// tell tells the observer, if there is one.
func (r *Routes) tell(ctx context.Context, route Route, event Event, key string, err error) {
	if r.o.Observer != nil {
		r.o.Observer(ctx, route, event, key, err)
	}
}

// absent tells whether an error says that there is nothing. A key that a store cannot have is
// not there.
func absent(err error) bool {
	return (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid)) && !errors.Is(err, fs.ErrPermission)
}

// doubt is the error of a question that only the gateway's own could have answered: whatever
// kept them from it, nobody knows.
func doubt(op, key string, err error) error {
	if errors.Is(err, backends.ErrUnavailable) {
		return err
	}
	return &backends.Error{Op: op, Key: key, Kind: backends.ErrUnavailable, Err: err}
}

// changed is the error for a version that is not there any more.
func changed(op, key string) error {
	return &backends.Error{Op: op, Key: key, Kind: backends.ErrChanged}
}
