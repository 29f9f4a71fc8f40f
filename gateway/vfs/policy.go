package vfs

// Overwriting says what becomes of an upload, or a file that is renamed, whose name is
// taken.
type Overwriting int

// What may become of it. The zero value is the default.
const (
	ReplaceExisting Overwriting = iota // it replaces the file, given the right Overwrite
	RefuseExisting                     // it is refused
	KeepBoth                           // it gets a name of its own beside the file
)

// Concurrency says what becomes of an upload to a name that this process is writing
// already.
type Concurrency int

// What may become of it. The zero value is the default.
const (
	LastWins  Concurrency = iota // both run; who commits last has the name
	OneWriter                    // ftp.ErrBusy for the second
)

// defaultRenameLimit is Mount.RenameLimit's.
const defaultRenameLimit = 10_000

// replaces tells whether a file at m may be replaced or changed.
func (m *mount) replaces() bool {
	return m.overwrite == ReplaceExisting && m.rights.has(Write|Overwrite)
}
