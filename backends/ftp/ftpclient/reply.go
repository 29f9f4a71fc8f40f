package ftpclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Limits of a reply. Banners of hundreds of lines exist, and MLST gives a path in one.
const (
	maxReplyLine   = 8 << 10
	maxReplyLines  = 1000
	maxReplyOctets = 128 << 10
	maxText        = 512 // what is kept of it for the log
)

// reply is one whole reply of the server (RFC 959 §4.2).
type reply struct {
	code  int
	lines []string // without codes and line ends; the first and last are there also if empty
}

// text is the reply's lines in one, fit for a log.
func (r reply) text() string {
	text := strings.TrimSpace(strings.Join(r.lines, " "))
	return printable(text[:min(len(text), maxText)])
}

// printable is a text without what a log or a terminal might obey.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
}

// tells whether a log would show the secret, or what can be printed of it.
func (r reply) tells(secret []byte) bool {
	shown := strings.TrimSpace(printable(string(secret)))
	return shown != "" && strings.Contains(printable(strings.Join(r.lines, " ")), shown)
}

func (r reply) positive() bool     { return r.code/100 == 2 }
func (r reply) preliminary() bool  { return r.code/100 == 1 }
func (r reply) intermediate() bool { return r.code/100 == 3 }

// readReply reads one reply. Errors that are not the reader's match ErrProtocol.
func readReply(r *bufio.Reader) (reply, error) {
	first, err := replyLine(r)
	if err != nil {
		return reply{}, err
	}
	code, rest, ok := replyCode(first)
	if !ok {
		return reply{}, fmt.Errorf("%w: a reply begins with %.40q", ErrProtocol, first)
	}
	res := reply{code: code, lines: []string{strings.TrimPrefix(rest, "-")}}
	if !strings.HasPrefix(rest, "-") {
		res.lines[0] = strings.TrimPrefix(rest, " ")
		return res, nil
	}
	for octets := len(first); ; {
		line, err := replyLine(r)
		if err != nil {
			return reply{}, err
		}
		if octets += len(line); len(res.lines) == maxReplyLines || octets > maxReplyOctets {
			return reply{}, fmt.Errorf("%w: a reply of more than %d octets or %d lines", ErrProtocol, maxReplyOctets, maxReplyLines)
		}
		if last, rest, ok := replyCode(line); ok && last == code && !strings.HasPrefix(rest, "-") {
			res.lines = append(res.lines, strings.TrimPrefix(rest, " "))
			return res, nil
		}
		res.lines = append(res.lines, strings.TrimPrefix(line, first[:3]+"-"))
	}
}

// replyLine reads one line, without its end, LF or CRLF.
func replyLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("%w: a line of a reply is longer than %d octets", ErrProtocol, maxReplyLine)
	case err != nil:
		return "", err
	}
	return string(bytes.TrimRight(line, "\r\n")), nil
}

// replyCode splits "xyz text", "xyz-text" and "xyz"; the rest begins with what follows the
// digits.
func replyCode(line string) (int, string, bool) {
	if len(line) < 3 || line[0] < '1' || '5' < line[0] || !isDigit(line[1]) || !isDigit(line[2]) {
		return 0, "", false
	}
	if len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, "", false
	}
	return int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0'), line[3:], true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
