//go:build linux || darwin

package usersfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// hasModes says that the bits of a mode tell who may read a file.
const hasModes = true

// tryLock takes the exclusive lock of f, until f is closed, unless another process (or
// another open file of this one) has it. Where a file system has no locks it is always
// had, and versions alone keep edits apart.
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

func inode(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

// takeOwner gives f the owner and group of another file, where they are not its own.
func takeOwner(f *os.File, like fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	has, ok := info.Sys().(*syscall.Stat_t)
	want, known := like.Sys().(*syscall.Stat_t)
	if !ok || !known || has.Uid == want.Uid && has.Gid == want.Gid {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}

func syncNames(dir *os.File) error { return dir.Sync() }
