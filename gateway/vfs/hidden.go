package vfs

import (
	"strings"

	"causeway/gateway/ftp"
)

// relative is the path p, which m covers, seen from it.
func (m *mount) relative(p ftp.Path) string {
	return strings.TrimPrefix(strings.TrimPrefix(text(p), m.path), "/")
}

// hides tells whether the mount shows nothing of p and answers as if it were not there.
func (m *mount) hides(p ftp.Path) bool { return m.hide.Match(m.relative(p)) }

// denies tells whether nothing may get the name p, or be written there.
func (m *mount) denies(p ftp.Path) bool { return m.deny.Match(m.relative(p)) }
