package localdir

import (
	"fmt"
	"io/fs"
	"syscall"
)

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
	return fmt.Sprintf("%x-%x-%x-%x", st.Ino, st.Size, info.ModTime().UnixNano(), st.Ctim.Nano())
}
