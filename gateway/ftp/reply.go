package ftp

import (
	"strconv"
	"strings"
	"unicode"
)

// reply is an answer on the control connection (RFC 959 §4.2): one line, or with a head
// several. Texts are constants; what comes from a client in them is a Path or its own file
// name, free of control characters, so no reply can be made to carry a second one. The
// zero reply is none at all.
type reply struct {
	code  int
	text  string   // of the only or the last line
	head  string   // of the first line of several
	lines []string // between first and last
	sent  bool     // already, by the handler
}

// appendTo writes the reply as it goes over the wire; a nil encode stands for UTF-8.
func (r reply) appendTo(dst []byte, encode encoder) []byte {
	if r.head != "" {
		dst = appendLine(append(strconv.AppendInt(dst, int64(r.code), 10), '-'), r.head, encode)
		for _, line := range r.lines {
			if line != "" && '0' <= line[0] && line[0] <= '9' {
				dst = append(dst, ' ') // or it might be taken for the last line (RFC 959 §4.2)
			}
			dst = appendLine(dst, line, encode)
		}
	}
	return appendLine(append(strconv.AppendInt(dst, int64(r.code), 10), ' '), r.text, encode)
}

// appendLine writes a line, with a question mark for each character that the client's
// charset lacks or that a reply cannot hold.
func appendLine(dst []byte, line string, encode encoder) []byte {
	line = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, line)
	if encode == nil {
		return append(append(dst, line...), '\r', '\n')
	}
	if octets, err := encode(line); err == nil {
		return append(append(dst, octets...), '\r', '\n')
	}
	for _, r := range line {
		octets, err := encode(string(r))
		if err != nil {
			octets = []byte{'?'}
		}
		dst = append(dst, octets...)
	}
	return append(dst, '\r', '\n')
}

// quoted is a path as PWD and MKD show it (RFC 959 appendix II).
func quoted(p Path) string {
	return `"` + strings.ReplaceAll(p.String(), `"`, `""`) + `"`
}

// done is the reply to most commands that simply worked.
func done(code int, text string) (reply, error) {
	return reply{code: code, text: text}, nil
}
