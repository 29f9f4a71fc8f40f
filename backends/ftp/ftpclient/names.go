package ftpclient

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"
)

// encode gives the octets of an argument as the server writes them. Errors match
// fs.ErrInvalid and do not show the argument, which may be a password.
func (c *Conn) encode(arg string) ([]byte, error) {
	if strings.ContainsAny(arg, "\r\n\x00") {
		return nil, fmt.Errorf("an argument with CR, LF or NUL: %w", fs.ErrInvalid)
	}
	if c.cfg.Charset == nil {
		return []byte(arg), nil
	}
	octets, err := c.cfg.Charset.NewEncoder().Bytes([]byte(arg))
	if err != nil {
		return nil, fmt.Errorf("an argument that the server's charset has no octets for: %w", fs.ErrInvalid)
	}
	return octets, nil
}

// decode gives the text of a name that the server wrote, and whether it has one that comes
// back as the same octets: a replacement character would alias names.
func (c *Conn) decode(octets []byte) (string, bool) {
	if c.cfg.Charset == nil {
		return string(octets), utf8.Valid(octets)
	}
	text, err := c.cfg.Charset.NewDecoder().Bytes(octets)
	if err != nil {
		return "", false
	}
	back, err := c.cfg.Charset.NewEncoder().Bytes(text)
	return string(text), err == nil && string(back) == string(octets)
}

// safeName tells whether a name of a listing is one in that directory and nothing else.
func safeName(name []byte) bool {
	for _, b := range name {
		if b == '/' || b == 0 || b == '\r' || b == '\n' {
			return false
		}
	}
	return len(name) > 0
}

// checkPath refuses what is no absolute path. Without this a name that begins with "-"
// could become an option, and one that the server's working directory decides could be
// another file.
func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("path %q is not absolute: %w", path, fs.ErrInvalid)
	}
	return nil
}
