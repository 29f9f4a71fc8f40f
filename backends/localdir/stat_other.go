//go:build !linux

package localdir

import (
	"fmt"
	"io/fs"
)

// etag names the version that info is of, by what all systems tell.
func etag(info fs.FileInfo) string {
	if info.IsDir() { // its times are those of what is in it
		return "dir"
	}
	return fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())
}
