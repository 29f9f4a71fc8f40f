package s3

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"causeway/backends"
)

// scanPage reads a page of ListObjectsV2 in the form that servers send. It is false for
// any other, right or wrong: what it does not know it leaves to the SDK, whose XML decoder
// takes ten times as long, longer than all else that a listing costs.
func scanPage(body []byte) (backends.Page, bool) {
	x := scanner{rest: bytes.TrimPrefix(body, []byte(declaration))}
	x.rest = bytes.TrimLeft(x.rest, " \n\t")
	if !utf8.Valid(body) || bytes.Contains(body, []byte("]]>")) || string(x.element()) != "ListBucketResult" {
		return backends.Page{}, false
	}
	p := pageScan{scanner: &x, encoded: bytes.Contains(body, []byte("<EncodingType>url</EncodingType>"))}
	if n := bytes.Count(body, []byte("<Contents>")); n <= maxPage {
		p.page.Objects = make([]backends.Object, 0, n)
	}
	p.run()
	whole := len(x.open) == 0 && len(bytes.TrimSpace(x.rest)) == 0
	if p.bad || !whole || p.encodings > 1 || p.encoded != p.told || p.truncated == (p.page.Next == "") {
		return backends.Page{}, false
	}
	return p.page, true
}

// declaration is what servers begin an answer with.
const declaration = `<?xml version="1.0" encoding="UTF-8"?>`

// pageScan is a page being read.
type pageScan struct {
	*scanner
	page      backends.Page
	truncated bool
	encoded   bool // the keys, for a URL; known beforehand, since some servers tell it last
	told      bool // that they are
	encodings int  // how often either has been told
	unescaped []byte

	timeText []byte // the last time that was read, and what it says
	time     time.Time
}

func (p *pageScan) run() {
	for name := p.element(); name != nil; name = p.element() {
		switch string(name) {
		case "Contents":
			p.object()
		case "CommonPrefixes":
			p.prefix()
		case "EncodingType":
			text := string(p.text())
			p.encodings++
			p.told, p.bad = text == "url", p.bad || text != "url" && text != ""
		case "IsTruncated":
			text := string(p.text())
			p.truncated, p.bad = text == "true", p.bad || text != "true" && text != "false"
		case "NextContinuationToken":
			p.page.Next = string(p.plain(p.text()))
		default:
			p.other(name, "Contents", "CommonPrefixes", "EncodingType", "IsTruncated", "NextContinuationToken")
		}
	}
	if !p.truncated {
		p.page.Next = ""
	}
}

// object reads <Contents>. The key and the ETag share their memory.
func (p *pageScan) object() {
	o := backends.Object{Partial: true}
	var key, etag []byte
	for name := p.element(); name != nil; name = p.element() {
		switch string(name) {
		case "Key":
			key = p.text()
		case "ETag":
			etag = p.text()
		case "Size":
			size, err := strconv.ParseInt(string(p.text()), 10, 64)
			o.Size, p.bad = size, p.bad || err != nil
		case "LastModified":
			o.ModTime = p.modified(p.text())
		default:
			p.other(name, "Key", "ETag", "Size", "LastModified")
		}
	}
	p.unescaped = p.unescaped[:0]
	p.appendKey(key)
	end := len(p.unescaped)
	p.appendPlain(etag)
	both := string(p.unescaped)
	o.Key, o.ETag = both[:end], strings.Trim(both[end:], `"`)
	p.page.Objects = append(p.page.Objects, o)
}

// prefix reads <CommonPrefixes>.
func (p *pageScan) prefix() {
	for name := p.element(); name != nil; name = p.element() {
		if string(name) != "Prefix" {
			p.other(name, "Prefix")
			continue
		}
		p.unescaped = p.unescaped[:0]
		p.appendKey(p.text())
		p.page.Prefixes = append(p.page.Prefixes, string(p.unescaped))
	}
}

// other skips an element that does not matter. One that differs by case from one that does
// is the SDK's, to which both are the same.
func (p *pageScan) other(name []byte, known ...string) {
	for _, k := range known {
		p.bad = p.bad || strings.EqualFold(string(name), k)
	}
	p.skip()
}

// modified reads a time. Those of a page are often the same.
func (p *pageScan) modified(text []byte) time.Time {
	if p.timeText == nil || !bytes.Equal(text, p.timeText) {
		t, err := time.Parse(time.RFC3339, string(text))
		p.timeText, p.time, p.bad = text, t.UTC(), p.bad || err != nil
	}
	return p.time
}

// plain is text without its escapes.
func (p *pageScan) plain(text []byte) []byte {
	p.unescaped = p.unescaped[:0]
	p.appendPlain(text)
	return p.unescaped
}

// appendKey takes a key's escapes off, those of XML and those of a URL.
func (p *pageScan) appendKey(text []byte) {
	begin := len(p.unescaped)
	p.appendPlain(text)
	if !p.encoded || bytes.IndexByte(text, '%') < 0 && bytes.IndexByte(text, '+') < 0 {
		return
	}
	key, err := url.QueryUnescape(string(p.unescaped[begin:]))
	p.unescaped, p.bad = append(p.unescaped[:begin], key...), p.bad || err != nil
}

// appendPlain takes the escapes of XML off.
func (p *pageScan) appendPlain(text []byte) {
	for {
		before, after, found := bytes.Cut(text, []byte("&"))
		p.unescaped = append(p.unescaped, before...)
		if !found {
			return
		}
		name, rest, _ := bytes.Cut(after, []byte(";"))
		switch string(name) {
		case "quot", "#34":
			p.unescaped = append(p.unescaped, '"')
		case "apos", "#39":
			p.unescaped = append(p.unescaped, '\'')
		case "amp":
			p.unescaped = append(p.unescaped, '&')
		case "lt":
			p.unescaped = append(p.unescaped, '<')
		case "gt":
			p.unescaped = append(p.unescaped, '>')
		default:
			p.bad = true
			return
		}
		text = rest
	}
}
