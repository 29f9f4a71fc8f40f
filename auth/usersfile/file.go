package usersfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a users file on a local disk. It may be a link; what is replaced is the file
// that it leads to.
type File struct{ Path string }

// ErrExposed is a file that users of the machine can read or write who are neither its
// owner nor in its group.
var ErrExposed = errors.New("is open to every user of the machine, and holds password hashes")

// Read is [Document.Read]. A version is the file's time, size and place on the disk, and
// its mode, which decides whether it may be read at all: the error matches ErrExposed if
// not.
func (f File) Read(_ context.Context, known string) (text []byte, version string, err error) {
	// The look by name comes first: opening a named pipe would wait for its writer.
	info, err := os.Stat(f.Path)
	if err != nil {
		return nil, "", err
	}
	if err := judge(info); err != nil {
		return nil, "", fmt.Errorf("%s %w", f.Path, err)
	}
	if versionOf(info) == known {
		return nil, known, ErrUnchanged
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, "", err
	}
	defer file.Close() //nolint:errcheck // it is only read
	// Taken before the text, so that a change in between makes another version.
	if info, err = file.Stat(); err != nil {
		return nil, "", err
	}
	if err := judge(info); err != nil { // it may be another file by now
		return nil, "", fmt.Errorf("%s %w", f.Path, err)
	}
	text, err = io.ReadAll(file)
	return text, versionOf(info), err
}

var errNoFile = errors.New("is not a file")

// judge refuses what cannot be a users file, and one that tells its hashes to everybody.
func judge(info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return errNoFile
	case hasModes && info.Mode().Perm()&0o007 != 0:
		return ErrExposed
	}
	return nil
}

// versionOf changes with the text. Who replaces a file by another makes a new inode, and
// who writes into it sets its time.
func versionOf(info fs.FileInfo) string {
	return fmt.Sprintf("%d-%d-%d-%o", info.ModTime().UnixNano(), info.Size(), inode(info), info.Mode())
}

// Replace is [Document.Replace]. The new file has the mode and the owner of the old one.
func (f File) Replace(_ context.Context, text []byte, version string) error {
	path, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		return err
	}
	old, err := os.Open(path)
	if err != nil {
		return err
	}
	defer old.Close() //nolint:errcheck // it is only read; the lock goes with it
	locked, err := tryLock(old)
	if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	// Looked at by name and under the lock: if another edit has put a file in the place of
	// the one that is locked here, it has another version.
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !locked || versionOf(info) != version {
		return fmt.Errorf("%s: %w", path, ErrChanged)
	}
	return replace(path, text, info)
}

// replace writes a file beside the one of the path and gives it its name.
func replace(path string, text []byte, like fs.FileInfo) error {
	dir, name := filepath.Dir(path), filepath.Base(path)
	temp, err := os.CreateTemp(dir, "."+name+".*") // for its owner only, until it is complete
	if err != nil {
		return fmt.Errorf("write beside %s: %w", path, err)
	}
	_, err = temp.Write(text)
	if err == nil {
		err = takeAfter(temp, like)
	}
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("replace %s: %w", path, err), os.Remove(temp.Name()))
	}
	return syncDir(dir)
}

// takeAfter gives a file the owner and the mode of another. Owner first: to change it
// takes bits from the mode.
func takeAfter(file *os.File, like fs.FileInfo) error {
	if err := takeOwner(file, like); err != nil {
		return fmt.Errorf("keep its owner: %w", err)
	}
	return file.Chmod(like.Mode().Perm())
}

// syncDir makes the new name durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(syncNames(d), d.Close())
}
