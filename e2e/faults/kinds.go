package faults

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// Instead answers for the store, which never sees the request.
func Instead(a Answer) Fault {
	return Fault{before: func(e *exchange) bool {
		// Taken whole, or the client would see a connection break off while it sends.
		_, _ = io.Copy(io.Discard, e.r.Body) // the client may have gone
		a.send(e)
		return false
	}}
}

// Swap gives another answer than the store has, which has carried the request out.
func Swap(a Answer) Fault {
	return Fault{after: func(e *exchange, res *http.Response) bool {
		_, _ = io.Copy(io.Discard, res.Body) // whatever it is, it is not passed on
		a.send(e)
		return false
	}}
}

// ResetBefore resets the client's connection; the store never sees the request.
func ResetBefore() Fault {
	return Fault{before: func(e *exchange) bool {
		e.injection.tell()
		e.reset()
		return false
	}}
}

// ResetAfter resets the client's connection when the store has carried the request out:
// its answer is lost.
func ResetAfter() Fault {
	return Fault{after: func(e *exchange, res *http.Response) bool {
		_, _ = io.Copy(io.Discard, res.Body) // it is lost
		e.injection.tell()
		e.reset()
		return false
	}}
}

// Silent never answers, and the store never sees the request. It ends when the client
// gives up, or with Remove, by a reset.
func Silent() Fault {
	return Fault{before: func(e *exchange) bool {
		_, _ = io.Copy(io.Discard, e.r.Body) // or it would not be noticed that the client goes
		e.injection.tell()
		e.wait(e.injection.released)
		e.reset()
		return false
	}}
}

// SilentAfter lets the store carry the request out, and never answers.
func SilentAfter() Fault {
	return Fault{after: func(e *exchange, _ *http.Response) bool {
		e.injection.tell()
		e.wait(e.injection.released)
		e.reset()
		return false
	}}
}

// HoldBefore holds a request until [Injection.Remove], then passes it on. If its client
// dies meanwhile, the store never sees it.
func HoldBefore() Fault {
	return Fault{before: func(e *exchange) bool {
		body, err := io.ReadAll(e.r.Body) // or it would not be noticed that the client goes
		if err != nil {
			return false
		}
		e.r.Body = io.NopCloser(bytes.NewReader(body))
		e.injection.tell()
		return e.wait(e.injection.released)
	}}
}

// HoldAfter lets the store carry a request out, and holds the answer until
// [Injection.Remove].
func HoldAfter() Fault {
	return Fault{after: func(e *exchange, _ *http.Response) bool {
		e.injection.tell()
		return e.wait(e.injection.released)
	}}
}

// Late holds a request until [Injection.Remove], then passes it on even if its client has
// died meanwhile: what was on its way arrives.
func Late() Fault {
	hold := HoldBefore().before
	return Fault{before: func(e *exchange) bool {
		detached := *e
		detached.r = e.r.WithContext(context.WithoutCancel(e.r.Context()))
		ok := hold(&detached)
		e.r = detached.r
		return ok
	}}
}

// Truncate ends an answer after n octets of its body, whose length was announced.
func Truncate(n int64) Fault {
	f := struck()
	f.down = func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, n), broken{}) }
	return f
}

// FlipDown changes the octet at an offset of an answer's body.
func FlipDown(at int64) Fault {
	f := struck()
	f.down = func(r io.Reader) io.Reader { return &flipping{from: r, at: at} }
	return f
}

// FlipUp changes the octet at an offset of a request's body, which then does not have the
// checksum any more that its headers tell.
func FlipUp(at int64) Fault {
	f := struck()
	f.up = func(r io.Reader) io.Reader { return &flipping{from: r, at: at} }
	return f
}

// Header changes a header of an answer, such as a checksum; "" takes it away.
func Header(name, value string) Fault {
	return Fault{after: func(e *exchange, res *http.Response) bool {
		e.injection.tell()
		res.Header.Del(name)
		if value != "" {
			res.Header.Set(name, value)
		}
		return true
	}}
}

// struck is a fault that only tells that it has struck.
func struck() Fault {
	return Fault{before: func(e *exchange) bool {
		e.injection.tell()
		return true
	}}
}

// broken is a body that breaks off.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errTruncated }

// flipping changes one octet of what is read through it.
type flipping struct {
	from io.Reader
	at   int64 // octets before the one to be changed
}

func (f *flipping) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if f.at >= 0 && f.at < int64(n) {
		p[f.at] ^= 0xff
	}
	f.at -= int64(n)
	return n, err
}
