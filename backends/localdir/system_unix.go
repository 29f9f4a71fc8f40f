//go:build linux || darwin

package localdir

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// nonBlock opens named pipes and devices without waiting for their other end.
const nonBlock = syscall.O_NONBLOCK

// knowsLinks says that [linked] does.
const knowsLinks = true

// tryLock takes the exclusive lock of f, until f is closed, unless another process (or
// another open file of this one) has it. Where a file system has no locks (some network
// file systems have none on directories) it is always had.
func tryLock(f *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case errors.Is(err, syscall.EBADF), errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
			return true, nil
		}
		return err == nil, err
	}
}

// space is what an unprivileged process may still write to dir's file system, in octets.
func space(dir *os.File) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Fstatfs(int(dir.Fd()), &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}

// namesOf returns dir, which it takes over, as a file whose ReadDir tells types as the
// directory has them. That of a file from an [os.Root] looks at each name's inode, which
// makes a pass over a large directory several times as long.
func namesOf(dir *os.File) (*os.File, error) {
	defer dir.Close() //nolint:errcheck // it is only read, by its duplicate
	fd, err := unix.FcntlInt(dir.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), dir.Name()), nil
}

// syncFile makes the names in a directory durable.
func syncFile(dir *os.File) error { return dir.Sync() }

// linked tells whether a file has more than one name: the upload that it was has become an
// object, and its writer has died before it could take the first name away.
func linked(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 1
}
