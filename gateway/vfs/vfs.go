// Package vfs is what a logged-in user sees: mounts, rights, directories, and which object
// of which store a path names. It implements [ftp.FS] over [backends.Backend], and is the
// only package that speaks both FTP paths and object keys. It speaks neither FTP nor any
// store's protocol, and knows no users.
//
// Its central type is [FS].
package vfs

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"causeway/backends"
	"causeway/backends/readahead"
	"causeway/gateway/ftp"
	"causeway/gateway/names"
	"causeway/gateway/quota"
)

// Rights are what an account may do below a mount.
type Rights uint8

// The rights. Entering a directory needs none.
const (
	List      Rights = 1 << iota // see names, sizes and times
	Read                         // retrieve
	Write                        // store under a free name
	Overwrite                    // replace a file, set its time
	Delete                       // delete files and empty directories
	Rename                       // take a file's name away; giving it another one needs Write
	Mkdir                        // make directories
)

// has tells whether all of some are granted.
func (r Rights) has(some Rights) bool { return r&some == some }

// Mount shows the keys of Store that begin with Prefix as the directory Path.
type Mount struct {
	Path   string           // absolute, as a client would write it
	Store  backends.Backend // required; comparable, and the same value for all mounts of one bucket
	Origin backends.Backend // the same for all who use the bucket, where Store has credentials of the account's own; nil is Store
	Ledger *quota.Ledger    // that Store counts in; nil for none
	Prefix string           // "" or segments that FTP can name; a final "/" is added if it is missing
	Rights Rights
	Hide   []string        // patterns of names that do not show and cannot be used, whatever the rights
	Deny   []string        // and of names that nothing can get, nor be written at; both as in [path.Match]
	Reads  *readahead.Pool // by which files are read; nil reads each by one request at a time

	Uploads     ftp.Policy  // for the engine; the view does not look into it
	Overwrite   Overwriting // where a name is taken
	Concurrent  Concurrency // where a name is being written
	FileLimit   int64       // octets of a file that is uploaded; 0 for no limit
	RenameLimit int         // most objects of a directory that is renamed by copying them; 0 for 10,000
}

// FS is the tree that one session sees. All its methods may be called from any goroutine.
type FS struct {
	mounts []*mount // longest path first
	names  *Names
	log    *slog.Logger
	recent recent
	told   told
}

// mount is a Mount that has been checked.
type mount struct {
	path   string // "" for the root, else without a final slash
	store  backends.Backend
	origin backends.Backend // by which names are known to all
	ledger *quota.Ledger
	prefix string // "" or ends in "/"
	rights Rights
	hide   names.Patterns
	deny   names.Patterns
	reads  *readahead.Pool
	bucket int // the same for all mounts of one store

	uploads     ftp.Policy
	overwrite   Overwriting
	concurrent  Concurrency
	fileLimit   int64
	renameLimit int
}

// New makes the tree of mounts. It fails on a path or prefix that cannot be mounted and
// on one path mounted twice. All views of a process share names. What no client is told
// goes to log.
func New(mounts []Mount, names *Names, log *slog.Logger) (*FS, error) {
	f := &FS{names: names, log: log}
	for _, m := range mounts {
		checked, err := f.check(m)
		if err != nil {
			return nil, fmt.Errorf("mount %q: %w", m.Path, err)
		}
		f.mounts = append(f.mounts, checked)
	}
	slices.SortStableFunc(f.mounts, func(a, b *mount) int { return len(b.path) - len(a.path) })
	return f, nil
}

// logOf is the log of what a call with ctx does, with the transfer that it is part of.
func (f *FS) logOf(ctx context.Context) *slog.Logger {
	if id := ftp.TransferOf(ctx); id != "" {
		return f.log.With(slog.String("transfer", id))
	}
	return f.log
}

func (f *FS) check(m Mount) (*mount, error) {
	if m.Store == nil {
		return nil, fmt.Errorf("no store")
	}
	path, err := ftp.Path{}.Join(m.Path)
	if err != nil || reserved(path) {
		return nil, fmt.Errorf("the path cannot be used")
	}
	prefix := m.Prefix
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if below, err := (ftp.Path{}).Join(prefix); err != nil || reserved(below) || prefix != "" && below.String()+"/" != "/"+prefix {
		return nil, fmt.Errorf("the prefix %q cannot be used", m.Prefix)
	}
	hide, err := names.New(m.Hide)
	if err != nil {
		return nil, err
	}
	deny, err := names.New(m.Deny)
	if err != nil {
		return nil, err
	}
	checked := &mount{
		path: text(path), store: m.Store, origin: m.Origin, ledger: m.Ledger, prefix: prefix, rights: m.Rights, hide: hide, deny: deny, reads: m.Reads, bucket: len(f.mounts),
		uploads: m.Uploads, overwrite: m.Overwrite, concurrent: m.Concurrent,
		fileLimit:   m.FileLimit,
		renameLimit: cmp.Or(m.RenameLimit, defaultRenameLimit),
	}
	if checked.origin == nil {
		checked.origin = checked.store
	}
	for _, other := range f.mounts {
		if other.path == checked.path {
			return nil, fmt.Errorf("mounted twice")
		}
		if other.store == checked.store {
			checked.bucket = other.bucket
		}
	}
	return checked, nil
}

// text is p with "" for the root, so that what is below p begins with text(p) + "/".
func text(p ftp.Path) string {
	if p.IsRoot() {
		return ""
	}
	return p.String()
}

// reserved tells whether a segment of p is the gateway's own name.
func reserved(p ftp.Path) bool {
	for segment := range strings.SplitSeq(text(p), "/") {
		if segment == backends.Reserved {
			return true
		}
	}
	return false
}
