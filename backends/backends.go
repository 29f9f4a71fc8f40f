// Package backends is the contract between Causeway and the stores it writes to:
// five verbs ([Backend]), one streaming upload that ends in exactly one of three ways
// ([Upload]), optional fast paths ([Copier], [Mover], [TreeMover], [Peeker], [Finder], [Summer])
// behind helper functions, what was parked ([Parker]), and the kinds of error that every store
// speaks. It knows no store and no FTP.
//
// Its central type is [Backend]. A store is one directory below this one; decorators
// (the metadata cache, fault and recording decorators of backendtest) are Backends
// over Backends. All of them pass backendtest.Run.
package backends

import (
	"context"
	"io"
	"time"
)

// Reserved is the path segment under which the gateway keeps what is its own (parts of
// open uploads, probes of "causeway check"). No key with this segment is ever reachable
// by an FTP path.
const Reserved = ".causeway"

// Backend is one bucket, container or directory: a flat, ordered set of keys, each with
// one complete object. Keys are non-empty UTF-8 strings of at most [MaxKey] bytes without
// NUL; "/" has no meaning to a Backend but as a delimiter of [Backend.List]. A key that
// ends in "/" is a directory marker, an object like any other.
//
// All methods may be called from any goroutine. Errors match one of the kinds of
// [Error] with errors.Is. Cancelling ctx ends a call promptly.
type Backend interface {
	// Stat describes the object. fs.ErrNotExist if there is none; fs.ErrPermission, and
	// not fs.ErrNotExist, if the credentials may not know whether there is one.
	Stat(ctx context.Context, key string, o StatOptions) (Object, error)

	// List returns one page, by one request to the store. The page's entries are in byte
	// order; no entry is before one of an earlier page. An empty page with a Next token
	// is legal. A listing that begins after a write has ended shows that write.
	//
	// A store that others fill may list what no key can name (octets that are not UTF-8),
	// which all other verbs refuse with fs.ErrInvalid, and nothing below it.
	List(ctx context.Context, q Query) (Page, error)

	// Open starts reading an object. fs.ErrNotExist if there is none; ErrChanged if
	// IfMatch is set and the object is another one by now; ErrRange if Offset is past
	// its end (Offset == size is an empty Reader). The caller closes the Reader.
	Open(ctx context.Context, key string, o OpenOptions) (*Reader, error)

	// Create begins an upload. Nothing is visible under key until Commit has returned
	// nil; an object that is there stays readable until then. ctx bounds the whole
	// upload: cancelling it makes Write and Commit fail and is not a substitute for Abort.
	// No request is made before data has to be sent.
	Create(ctx context.Context, key string, o CreateOptions) (Upload, error)

	// Delete removes the object. To delete what is not there is not an error.
	// With IfMatch, ErrChanged if the object is another one by now, or gone; AWS S3 does
	// not tell that it is gone.
	Delete(ctx context.Context, key string, o DeleteOptions) error
}

// MaxKey is the longest key in bytes, the smallest limit of the clouds (S3, GCS and
// Azure: 1,024).
const MaxKey = 1024

// Upload is one object on its way. It ends by Commit, by Park or by Abort. One goroutine
// uses it at a time. "defer u.Abort()" right after Create is always right: Abort after
// Commit or Park does nothing.
type Upload interface {
	// Write takes the next bytes. It never keeps p. It blocks while the buffer budget
	// is spent; a budget too small for the load slows uploads and never fails them.
	// After an error of Write only Abort is useful.
	io.Writer

	// Commit makes the object durable and visible, as a whole or not at all, and says
	// what the store says of it (Key, Size and ETag are always set). ErrChanged or
	// fs.ErrExist if the condition of CreateOptions did not hold. After ErrUnavailable the
	// whole object may be visible: nobody knows. Then, and only then, the upload is not over:
	// Park may keep what has reached the store.
	Commit() (Object, error)

	// Park keeps what arrived, invisible, for a later Create with Resume, and returns how
	// many octets of the object that is: those that Create kept and those written since,
	// less what did not reach the store. 0 if nothing was worth keeping, as of an append
	// that got no octets, or of an upload whose Commit has made the object without having
	// heard of it; nothing is left then. It works after ctx has ended and after an
	// error of Write, for 30 s at most. If it fails, what was durable before may be found
	// by Parked all the same, and what was not is lost. errors.ErrUnsupported, and the
	// upload was aborted, where nothing can be parked, also for lack of permission.
	// ErrChanged if another writer has resumed the upload meanwhile: it is theirs. The
	// upload is over in any case.
	Park() (int64, error)

	// Abort leaves nothing visible and nothing to pay for. It works after ctx has ended
	// and may be called more than once.
	Abort() error
}

// Object describes one object. Times are UTC.
type Object struct {
	Key         string
	Size        int64     // octets
	ETag        string    // opaque name of this version, for IfMatch; never compared across stores
	ModTime     time.Time // when the store says it was written
	Stored      time.Time // when it was, where clients can set ModTime; else zero
	ContentType string
	Metadata    map[string]string // lower-case keys of [a-z0-9]; nil when Partial
	Sums        map[Sum][]byte    // checksums of the whole content that the store keeps, may be empty
	Partial     bool              // from a listing that tells neither Metadata nor Sums
}

// Sum names a checksum algorithm as FTP's HASH command does.
type Sum string

// The checksums that a store may keep of a whole object.
const (
	MD5    Sum = "MD5"
	CRC32  Sum = "CRC32"
	SHA1   Sum = "SHA-1"
	SHA256 Sum = "SHA-256"
	SHA512 Sum = "SHA-512"
)

// StatOptions say how much a caller needs to know.
type StatOptions struct {
	// Complete asks for Metadata and Sums. Without it a decorator may answer with a
	// Partial object that a listing has told it.
	Complete bool
}

// Query asks for one page of a listing.
type Query struct {
	Prefix    string // keys must begin with it
	Delimiter bool   // fold keys with a "/" after Prefix into Page.Prefixes
	Token     string // Page.Next of the page before, "" for the first
	Limit     int    // most entries wanted, 0 for the store's own page size
	Fresh     bool   // ask the store, whatever a decorator remembers
}

// Page is one page of a listing.
type Page struct {
	Objects  []Object // byte order of keys
	Prefixes []string // byte order; each begins with Query.Prefix and ends in "/"
	Next     string   // token of the next page, "" when this is the last
}

// OpenOptions choose the range and version to read. The zero value reads it all.
type OpenOptions struct {
	Offset  int64  // first octet
	Length  int64  // octets wanted, 0 for all that follow; a range that ends past the end is cut short
	IfMatch string // ErrChanged unless the object still has this ETag
}

// Reader is an object being read, pinned to the version in Object. Close it always.
// A Read that fails midway returns an error of the store's kinds, never a clean EOF.
type Reader struct {
	Object Object // Size is that of the whole object, whatever the range
	io.ReadCloser
}

// CreateOptions are conditions on, and properties of, the object to be written.
type CreateOptions struct {
	IfMatch     string // ErrChanged at Commit unless the object then has this ETag
	IfAbsent    bool   // fs.ErrExist at Commit if the key then has an object
	Size        int64  // octets expected, a hint; 0 if unknown
	ContentType string
	Metadata    map[string]string // as in Object

	// Resume is the [Parked.ID] of an upload of this key to go on with: the new upload
	// begins with its first At octets and takes its place. Conditions, ContentType and
	// Metadata are those that it was begun with, but for what is set here: S3 cannot change
	// the latter two of an upload in parts, errors.ErrUnsupported. Create fails
	// with fs.ErrNotExist if it is not there any more, ErrBusy if it is being written, and
	// ErrRange, and it stays parked, if At is past its end or where the store cannot cut it.
	Resume string

	// At, without Resume, keeps the first At octets of the object that is there, which must
	// be the version IfMatch; what is written follows them. The object stays as it is until
	// Commit. Nothing that the store can copy by itself is sent to and fro. ErrRange past
	// its end; errors.ErrUnsupported where the store cannot cut it; ErrChanged, now or at
	// Commit, if it is another one.
	At int64

	// Tag says what is being written, where that is no client's upload and who was killed
	// shall know it again: 1 to 26 of A to Z and 2 to 7. [Parked.Tag] tells it. So that
	// little is lost, such an upload has one part on its way at a time, and Write waits for it.
	// With Resume it is the same as before.
	Tag string

	// Alternate, if set, yields keys to be taken at Commit in turn, should IfAbsent find the
	// key taken: the Object that Commit returns tells which it was. A store may be unable
	// to change the key of an upload in parts (S3, Azure): fs.ErrExist then.
	Alternate func() string
}

// DeleteOptions are conditions on a Delete.
type DeleteOptions struct {
	IfMatch string // ErrChanged unless the object has this ETag; stores without conditional delete look first
}

// CopyOptions are conditions on a copy or move.
type CopyOptions struct {
	SourceIfMatch string            // ErrChanged unless the source has this ETag
	IfMatch       string            // ErrChanged unless the destination has this ETag
	IfAbsent      bool              // fs.ErrExist if the destination exists
	Metadata      map[string]string // replaces the source's; nil keeps it
}

// MetaModTime is the metadata key of a modification time set by a client (MFMT, MDTM).
// Its value is seconds since 1970 in decimal, with or without a fraction, which is what
// rclone and s3fs write too.
const MetaModTime = "mtime"

// BehindETag is what the ETags of versions begin with that are in another store, which stands
// behind this one.
const BehindETag = "behind:"

// MetaCopyOf is the metadata key of what a migration has made a copy of: a hash. What is written
// to the copy drops it.
const MetaCopyOf = "copyof"
