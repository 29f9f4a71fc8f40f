//go:build !linux

package localdir

import (
	"fmt"
	"io/fs"
	"time"
)

// changed is not told by all systems.
func changed(fs.FileInfo) time.Time { return time.Time{} }

// etag names the version that info is of, by what all systems tell.
func etag(info fs.FileInfo) string {
	if info.IsDir() { // its times are those of what is in it
		return "dir"
	}
	return fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())
}
