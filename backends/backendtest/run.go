// Package backendtest is the proof of the store contract: [Run] is a conformance suite
// that every store and every decorator passes. [Recorder] and [Faults] are decorators for
// the tests of whatever stands on a store: they count and write down the requests, and
// make them fail. It is imported by tests only.
//
// Its central function is [Run].
package backendtest

import (
	"context"
	"testing"

	"causeway/backends"
)

// Features say what a store is like, where stores may differ. The zero value is a store
// without limits of its own.
type Features struct {
	// PartSize is the size in octets at which uploads are cut; objects of about one and
	// two parts are written. 0 for stores without parts.
	PartSize int64

	// Many is a number of keys greater than the store's own page; 0 for 1,050.
	Many int

	// Leftovers lists what open uploads have left in the store: multipart uploads,
	// blocks, part objects, temporary files. Nil if it cannot be told.
	Leftovers func(context.Context, backends.Backend) ([]string, error)

	// Refused are keys of [AwkwardKeys] that the store must refuse with fs.ErrInvalid.
	Refused []string

	// Mangled are keys of [AwkwardKeys] that the server behind the store keeps under another
	// name, without a word. They are left out.
	Mangled []string

	// NoneBeside says that "a" beside "a/b" is refused with fs.ErrExist.
	NoneBeside bool

	// Hierarchical says that the store is a tree of files: a directory has its marker
	// from the moment it is needed until the marker is deleted. It implies NoneBeside.
	Hierarchical bool

	// ModTimeOnly says that of metadata and content type only backends.MetaModTime is kept.
	ModTimeOnly bool

	// RoughListings says that a listing may tell times to the minute or the day, and another
	// ETag than Stat for that, which is taken for the object as long as it may be meant. A
	// store over a protocol whose listings tell no more cannot do better at one request.
	RoughListings bool

	// NoParking says that uploads cannot be parked: Park answers errors.ErrUnsupported.
	NoParking bool

	// CutsAnywhere says that a parked upload can be resumed at every offset. Without it
	// ErrRange is as good as the right content, but at the upload's end.
	CutsAnywhere bool

	// ObjectCuts says that CreateOptions.At may be any offset in an object. Without it
	// errors.ErrUnsupported is as good as the right content, but at the object's end.
	ObjectCuts bool

	// FixedProperties says that an upload in parts keeps the Metadata and ContentType that it
	// was begun with: a resume that sets others answers errors.ErrUnsupported.
	FixedProperties bool

	// Reopen makes the store that another process has of the bucket of the one given. Nil
	// if there is no such thing: what two processes do to each other is left out then.
	Reopen func(*testing.T, backends.Backend) backends.Backend

	// Crash says that a store made by Reopen tells of uploads that the other one has not
	// parked, and may resume them. Without it they may be hidden, or ErrBusy.
	Crash bool

	// MovesTrees says that the store is a backends.TreeMover.
	MovesTrees bool

	// Skip names cases and subcases ("Copy/IfAbsent") that this store, or the server that
	// stands for it in tests, is known to fail, and says why.
	Skip map[string]string
}

// Run proves that the stores made by open keep the contract of package backends. Every
// case gets a store of its own, with no keys (a fresh bucket or a fresh prefix). Cases
// run one after another. Keys with the segment backends.Reserved are left out of account.
func Run(t *testing.T, open func(t *testing.T) backends.Backend, f Features) {
	if f.PartSize == 0 {
		f.PartSize = 64 << 10
	}
	if f.Many == 0 {
		f.Many = 1050
	}
	f.NoneBeside = f.NoneBeside || f.Hierarchical
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			if why, ok := f.Skip[c.name]; ok {
				t.Skip(why)
			}
			s := &store{T: t, Backend: open(t), features: f, name: c.name}
			c.run(s)
			s.wantNoLeftovers()
		})
	}
}
