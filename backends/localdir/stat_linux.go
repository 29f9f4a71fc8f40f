package localdir

import (
	"fmt"
	"io/fs"
	"strconv"
	"syscall"
	"time"
)

// changed is when the file, or its name, was last changed: nobody can set that.
func changed(info fs.FileInfo) time.Time {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return time.Time{}
	}
	return time.Unix(st.Ctim.Unix()).UTC()
}

// etag names the version that info is of. The change time cannot be set by anyone, so a
// file that was rewritten in place, with its old modification time put back, is another.
func etag(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	if info.IsDir() { // its times are those of what is in it
		return fmt.Sprintf("%x-%x", st.Dev, st.Ino)
	}
	name := strconv.AppendUint(make([]byte, 0, 64), st.Ino, 16)
	for _, n := range []int64{st.Size, info.ModTime().UnixNano(), st.Ctim.Nano()} {
		name = strconv.AppendInt(append(name, '-'), n, 16)
	}
	return string(name)
}
