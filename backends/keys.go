package backends

import (
	"strings"
	"unicode/utf8"
)

// ValidKey tells whether every Backend could keep an object under key: non-empty UTF-8
// of at most [MaxKey] bytes without NUL. A store may refuse more, with fs.ErrInvalid.
func ValidKey(key string) bool {
	return key != "" && len(key) <= MaxKey && utf8.ValidString(key) && strings.IndexByte(key, 0) < 0
}
