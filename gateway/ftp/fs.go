package ftp

import (
	"context"
	"io"
	"iter"
	"time"
)

// FS is the tree of files that one logged-in account sees. The engine calls it from the
// session's goroutine and from that of a transfer, so it must be safe for concurrent use.
//
// Errors match the kinds of this package (see [ErrChanged]) or of io/fs with errors.Is;
// their text is for the log alone and never reaches a client. Cancelling ctx ends a call
// promptly.
type FS interface {
	// Enter tells whether a directory may be made the working directory (CWD).
	// fs.ErrNotExist if there is none, ErrNotDir if it is known to be a file.
	Enter(ctx context.Context, dir Path) error

	// Stat describes a file or directory (SIZE, MDTM, MLST, HASH).
	Stat(ctx context.Context, p Path, o StatOptions) (Entry, error)

	// List yields the entries of a directory in byte order of name + "/", each once, as
	// the store tells them. After an error it yields no more. fs.ErrNotExist if there is
	// no such directory, also if p is a file.
	List(ctx context.Context, dir Path) iter.Seq2[Entry, error]

	// Retrieve opens a file for reading, one version from first octet to last (RETR).
	// ErrRestart if the offset is past its end.
	Retrieve(ctx context.Context, p Path, o RetrieveOptions) (*Download, error)

	// Store begins an upload (STOR, STOU, APPE). Nothing is visible at p until Commit.
	// What can be refused early is refused here, before any data: ErrRestart if what is
	// there cannot be kept up to StoreOptions.Offset.
	Store(ctx context.Context, p Path, o StoreOptions) (Upload, Policy, error)

	// Delete removes a file (DELE); ErrIsDir for a directory.
	Delete(ctx context.Context, p Path) error

	// Mkdir makes a directory; fs.ErrExist if the name is taken.
	Mkdir(ctx context.Context, p Path) error

	// Rmdir removes a directory; ErrNotEmpty if something is in it, ErrNotDir for a file.
	Rmdir(ctx context.Context, p Path) error

	// Rename begins a rename (RNFR): it checks that from exists and may be renamed, and
	// pins its version. The function it returns ends it (RNTO); it is called at most once,
	// and may take as long as copying all of a directory does.
	Rename(ctx context.Context, from Path) (to func(context.Context, Path) error, err error)

	// SetTime sets a file's modification time (MFMT, MDTM with a time, SITE UTIME).
	SetTime(ctx context.Context, p Path, t time.Time) error

	// Space is the number of octets that can still be stored below dir (AVBL);
	// errors.ErrUnsupported where there is no limit.
	Space(ctx context.Context, dir Path) (int64, error)

	// Quota tells of the limits on directories that dir is or is in, the innermost first
	// (SITE QUOTA, ALLO); none where there is no limit.
	Quota(ctx context.Context, dir Path) ([]Quota, error)
}

// Quota is what all files of a directory, and of those in it, are and may be together.
type Quota struct {
	Dir                Path
	Bytes, Files       int64 // stored, parked, and on their way
	MaxBytes, MaxFiles int64 // 0 is no limit
}

// StatOptions say how much must be known.
type StatOptions struct {
	// Complete asks for the time that a client has set and for checksums, which may cost
	// one more request to the store.
	Complete bool
}

// RetrieveOptions choose the part of a file to read.
type RetrieveOptions struct {
	Offset int64 // first octet
	Length int64 // octets, 0 for all that follow
}

// StoreOptions describe an upload.
type StoreOptions struct {
	Size   int64 // octets announced (ALLO), a hint; 0 if unknown
	Unique bool  // fs.ErrExist if the name is taken (STOU)

	// Offset keeps the first octets of what is there, a parked upload or a file, and Append
	// all of them; what is written follows (REST with STOR, APPE).
	Offset int64
	Append bool
}

// Policy is how the uploads below a mount are judged, and what becomes of those that were
// cut off.
type Policy struct {
	Incomplete  Incomplete
	CloseNotify CloseNotify
	EnforceALLO bool // fewer octets on the data connection than ALLO has announced are a cut-off
}

// Incomplete says what becomes of an upload that was cut off.
type Incomplete int

// What may become of it. The zero value is the default.
const (
	ParkIncomplete    Incomplete = iota // kept for REST with STOR, and APPE, and seen by nobody else
	DiscardIncomplete                   // nothing is left
	PublishIncomplete                   // becomes the file, as old servers do it; half files are the operator's wish then
)

// CloseNotify says what it proves if a TLS data connection ends without close_notify.
type CloseNotify int

// What it may prove. The zero value is the default.
const (
	AutoCloseNotify    CloseNotify = iota // a cut-off, once this account has ended one properly
	RequireCloseNotify                    // always a cut-off
	IgnoreCloseNotify                     // nothing
)

// Download is a file being read. A Read that fails midway returns an error, never a
// clean EOF. The caller closes it.
type Download struct {
	Size int64 // octets of the whole file
	io.ReadCloser
}

// Upload is a file on its way. It ends by Commit, Park or Abort; Abort after a successful
// Commit or Park does nothing, so "defer u.Abort()" is always right. One goroutine uses it
// at a time.
type Upload interface {
	io.Writer // never keeps p; blocks under back-pressure
	// Flush is called once all octets have come, while it is found out whether these are all
	// there should be: what is held may be sent meanwhile.
	Flush() error
	// Commit makes the file durable and visible, as a whole or not at all. The name in the
	// Entry is another than the one asked for where both files are kept. After ErrUnavailable
	// the file may be there all the same, and the upload is not over: Park may keep it.
	Commit() (Entry, error)
	// Park keeps what arrived, invisible, for a later Store with Offset or Append, and
	// returns the size that Stat will tell; 0 if there was nothing to keep, because nothing
	// was written and nothing had been parked before. It works after the context has ended,
	// for 30 s at most: the client waits for it. If it fails nothing is visible, and some may
	// be kept all the same.
	Park() (int64, error)
	// Abort leaves nothing behind. It works after the context has ended.
	Abort() error
}

// Entry describes a file or a directory.
type Entry struct {
	Name    string // last path segment
	Dir     bool
	Size    int64             // octets; 0 for directories; of a parked upload, what is durable of it
	ModTime time.Time         // UTC; zero if unknown
	Perm    Perm              // what the account may do with it
	Unique  string            // the same for all names of one object, different for different ones; may be empty
	Version string            // the store's name of this version, for the log
	Sums    map[string][]byte // stored checksums by name of algorithm as in HASH ("MD5", "SHA-256"); only when Complete
}

// Perm is a set of RFC 3659 §7.5.5 permissions.
type Perm uint16

// The permissions, in the order in which they are shown.
const (
	PermAppend   Perm = 1 << iota // a: APPE to this file
	PermCreate                    // c: files may be made in this directory
	PermDelete                    // d: DELE or RMD
	PermEnter                     // e: CWD
	PermRename                    // f: RNFR
	PermList                      // l: LIST, NLST, MLSD
	PermMkdir                     // m: MKD in this directory
	PermPurge                     // p: files in this directory may be deleted
	PermRetrieve                  // r: RETR
	PermWrite                     // w: STOR onto this file
)

// Charset converts names between the octets of an account's legacy clients and UTF-8.
// It is safe for concurrent use.
type Charset interface {
	// Decode fails on octets that are not of the charset.
	Decode(octets []byte) (string, error)
	// Encode fails on a name that the charset cannot express.
	Encode(name string) ([]byte, error)
}
