package gateway

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"causeway/gateway/ftp"
)

// charset is a legacy encoding of file names as the engine wants it.
type charset struct{ encoding.Encoding }

var errCharset = errors.New("not of the account's charset")

// Decode fails where the octets have no character: the replacement character that
// stands for them would alias names.
func (c charset) Decode(octets []byte) (string, error) {
	text, err := c.NewDecoder().Bytes(octets)
	if err != nil {
		return "", err
	}
	if strings.ContainsRune(string(text), utf8.RuneError) {
		return "", errCharset
	}
	return string(text), nil
}

// Encode fails on a name that the charset has no octets for.
func (c charset) Encode(name string) ([]byte, error) {
	return c.NewEncoder().Bytes([]byte(name))
}

// charsetOf is the charset of an account that has been judged; nil for UTF-8.
func charsetOf(name string) ftp.Charset {
	if name == "" {
		return nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	if known, err := htmlindex.Name(e); err == nil && known == "utf-8" {
		return nil
	}
	return charset{e}
}

// carriesCommands tells whether names can be of the charset; "" is UTF-8.
func carriesCommands(name string) bool {
	if name == "" {
		return true
	}
	e, err := htmlindex.Get(name)
	return err == nil && extendsASCII(e)
}

// extendsASCII tells whether commands stay readable in the encoding: printable ASCII
// stands for itself, and nothing needs control characters (as UTF-16 and ISO-2022-JP do).
func extendsASCII(e encoding.Encoding) bool {
	for r := ' '; r <= '~'; r++ {
		octets, err := e.NewEncoder().String(string(r))
		text, decodeErr := e.NewDecoder().String(string(r))
		if err != nil || decodeErr != nil || octets != string(r) || text != string(r) {
			return false
		}
	}
	for _, r := range "éя中あ한" {
		octets, err := e.NewEncoder().String(string(r))
		if err == nil && strings.ContainsFunc(octets, isASCIIControl) {
			return false
		}
	}
	return true
}

func isASCIIControl(r rune) bool { return r < utf8.RuneSelf && unicode.IsControl(r) }
