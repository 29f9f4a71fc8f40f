//go:build !(linux || darwin)

package localdir

import (
	"errors"
	"io/fs"
	"os"
)

// nonBlock is nothing here: there are no named pipes in directories.
const nonBlock = 0

// knowsLinks says that [linked] does not.
const knowsLinks = false

// tryLock always has the lock: one process at a time may use the store.
func tryLock(*os.File) (bool, error) { return true, nil }

// space is not known here.
func space(*os.File) (int64, error) { return 0, errors.ErrUnsupported }

// namesOf returns dir itself.
func namesOf(dir *os.File) (*os.File, error) { return dir, nil }

// syncFile does nothing: directories cannot be synced here.
func syncFile(*os.File) error { return nil }

// linked tells of no file that it has more than one name.
func linked(fs.FileInfo) bool { return false }
