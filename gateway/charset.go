package gateway

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"causeway/configs"
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

// newCharsets finds the charsets that accounts name. UTF-8 has none.
func newCharsets(cfg *configs.Config) (map[string]ftp.Charset, error) {
	charsets := map[string]ftp.Charset{}
	for i, u := range cfg.Users {
		if u.Charset == "" {
			continue
		}
		e, err := htmlindex.Get(u.Charset)
		if err != nil || !extendsASCII(e) {
			return nil, cfg.Problem(fmt.Sprintf("users[%d].charset", i),
				fmt.Sprintf("%q is not a charset for file names", u.Charset),
				"write one of the Encoding Standard's names, such as latin1, gbk or shift_jis, or nothing for UTF-8")
		}
		if name, err := htmlindex.Name(e); err == nil && name == "utf-8" {
			continue
		}
		charsets[u.Charset] = charset{e}
	}
	return charsets, nil
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
