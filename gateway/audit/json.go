package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"causeway/gateway/ftp"
)

// stamp is RFC 3339 in UTC, to the millisecond.
const stamp = "2006-01-02T15:04:05.000Z07:00"

// record is a line in JSON. Its keys are those of the log.
type record struct {
	Time    string `json:"time"`
	Event   string `json:"event"` // "login" or "file"
	Session string `json:"session"`
	User    string `json:"user"`
	Remote  string `json:"remote"`
	TLS     bool   `json:"tls"`
	Verb    string `json:"verb,omitempty"`
	From    string `json:"from,omitempty"` // of a rename
	Path    string `json:"path,omitempty"`
	Code    int    `json:"code"`
	Result  string `json:"result,omitempty"` // of a login
	Took    string `json:"took,omitempty"`
	*transfer
}

// transfer is what a record has of a transfer that has begun.
type transfer struct {
	ID      string `json:"transfer"`
	Done    string `json:"done"`
	End     string `json:"end,omitempty"`
	Bytes   int64  `json:"bytes"`
	Kept    int64  `json:"kept,omitempty"`
	CRC32C  string `json:"crc32c"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// jsonLines writes JSON.
type jsonLines struct{}

func (jsonLines) login(e ftp.LoginEvent, result string) []byte {
	r := recordOf(e.Client, e.Time)
	r.Event, r.Code, r.Result = "login", e.Code, result
	return r.line()
}

func (jsonLines) command(e ftp.CommandEvent) []byte {
	r := recordOf(e.Client, e.Began.Add(e.Took))
	r.Event, r.Verb, r.Path, r.Code, r.Took = "file", e.Verb, e.Path.String(), e.Code, e.Took.String()
	if !e.From.IsRoot() {
		r.From = e.From.String()
	}
	if t := e.Transfer; t != nil {
		r.transfer = &transfer{
			ID: t.ID, Done: t.Done, End: t.End, Bytes: t.Bytes, Kept: t.Kept,
			CRC32C: fmt.Sprintf("%08x", t.CRC32C), Name: t.Name, Version: t.Version,
		}
	}
	return r.line()
}

// ended is a line in JSON of what no session did.
type ended struct {
	Time  string `json:"time"`
	Event string `json:"event"` // "retention"
	Store string `json:"store"`
	Key   string `json:"key"`
	To    string `json:"to,omitempty"`
	Bytes int64  `json:"bytes"`
	Since string `json:"since"`
}

func (jsonLines) expired(e Expired) []byte {
	return lineOf(ended{
		Time: e.Time.UTC().Format(stamp), Event: "retention", Store: e.Store, Key: e.Key, To: e.To,
		Bytes: e.Bytes, Since: e.Since.UTC().Format(stamp),
	})
}

func recordOf(c ftp.Client, at time.Time) record {
	return record{
		Time: at.UTC().Format(stamp), Session: c.Session.String(), User: c.User,
		Remote: c.Remote.String(), TLS: c.TLS,
	}
}

// line is the record with its line end.
func (r record) line() []byte { return lineOf(r) }

func lineOf(record any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(record); err != nil {
		panic(err) // only for types that JSON cannot have
	}
	line := b.Bytes()
	return append(visible(line[:len(line)-1]), '\n')
}

// visible writes what a terminal would obey, or show in another order, as JSON escapes, so
// that the names read back are those of the client. Outside of strings all is ASCII.
func visible(text []byte) []byte {
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	out := make([]byte, 0, len(text)+64)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if hidden(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				out = fmt.Appendf(out, `\u%04x`, unit)
			}
		} else {
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}

func hidden(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }
