package nulls3

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxKeys is the most entries of a page, as on S3.
const maxKeys = 1000

// Item is an object as a listing tells it.
type Item struct {
	Key      string
	Size     int64
	ETag     string // without quotation marks
	Modified time.Time
}

// Keys yields the objects from one key on, it included, in byte order.
type Keys func(from string) iter.Seq[Item]

// query is a ListObjectsV2 request.
type query struct {
	prefix, delimiter string
	after             string // the key, or the common prefix, that the page before ended with
	max               int
	encode            func(string) string // of keys and prefixes
	encoding          string              // as the answer names it
}

// parseQuery reads the request's parameters.
func parseQuery(v url.Values) (query, error) {
	q := query{
		prefix:    v.Get("prefix"),
		delimiter: v.Get("delimiter"),
		after:     v.Get("start-after"),
		max:       maxKeys,
		encode:    escapeXML,
		encoding:  v.Get("encoding-type"),
	}
	if q.encoding == "url" {
		q.encode = escapeURL
	}
	if text := v.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return q, errors.New("max-keys is no number of entries")
		}
		q.max = min(n, maxKeys)
	}
	if token := v.Get("continuation-token"); token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return q, errors.New("continuation-token is none of ours")
		}
		q.after = string(last)
	}
	return q, nil
}

// ServeList answers ListObjectsV2. What is below a prefix "names-N/" are N objects that are
// made up (see [Name]); put yields all others.
func ServeList(w http.ResponseWriter, r *http.Request, put Keys) {
	q, err := parseQuery(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	keys := put
	if dir, n, ok := synthetic(q.prefix); ok {
		keys = func(from string) iter.Seq[Item] { return names(dir, n, from) }
	}
	page := q.page(keys)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = w.Write(page) // a client that has gone needs no answer
}

// page is the answer's body.
func (q query) page(keys Keys) []byte {
	b := answer{query: q, last: q.after}
	b.entries = make([]byte, 0, q.max*(len(q.prefix)+240))
	from := q.prefix
	if q.after != "" {
		from = max(from, q.after+"\x00")
	}
	for item := range keys(from) {
		if !strings.HasPrefix(item.Key, q.prefix) {
			break
		}
		if folded, ok := q.fold(item.Key); ok {
			if folded == b.last {
				continue
			}
			item = Item{Key: folded, Size: -1}
		}
		if b.count == q.max {
			b.truncated = true
			break
		}
		b.add(item)
	}
	return b.body()
}

// fold returns the common prefix under which a delimited listing shows key, if it does.
func (q query) fold(key string) (string, bool) {
	if q.delimiter == "" {
		return "", false
	}
	i := strings.Index(key[len(q.prefix):], q.delimiter)
	if i < 0 {
		return "", false
	}
	return key[:len(q.prefix)+i+len(q.delimiter)], true
}

// answer is a page being written.
type answer struct {
	query
	entries   []byte
	count     int
	last      string
	truncated bool

	time     time.Time // the last that was written
	timeText []byte
}

// add writes an object, or a common prefix, which has no size.
func (a *answer) add(i Item) {
	a.count++
	a.last = i.Key
	if i.Size < 0 {
		a.entries = append(a.entries, "<CommonPrefixes><Prefix>"...)
		a.entries = append(a.entries, a.encode(i.Key)...)
		a.entries = append(a.entries, "</Prefix></CommonPrefixes>"...)
		return
	}
	a.entries = append(a.entries, "<Contents><Key>"...)
	a.entries = append(a.entries, a.encode(i.Key)...)
	a.entries = append(a.entries, "</Key><LastModified>"...)
	if a.timeText == nil || !i.Modified.Equal(a.time) {
		a.time, a.timeText = i.Modified, i.Modified.UTC().AppendFormat(a.timeText[:0], "2006-01-02T15:04:05.000Z")
	}
	a.entries = append(a.entries, a.timeText...)
	a.entries = append(a.entries, "</LastModified><ETag>&quot;"...)
	a.entries = append(a.entries, i.ETag...)
	a.entries = append(a.entries, "&quot;</ETag><Size>"...)
	a.entries = strconv.AppendInt(a.entries, i.Size, 10)
	a.entries = append(a.entries, "</Size><StorageClass>STANDARD</StorageClass></Contents>"...)
}

// body is the whole document.
func (a *answer) body() []byte {
	var b bytes.Buffer
	b.Grow(len(a.entries) + 1024)
	b.WriteString(xml.Header)
	b.WriteString(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`)
	element := func(name, value string) { b.WriteString("<" + name + ">" + value + "</" + name + ">") }
	element("Name", "bench")
	element("Prefix", a.encode(a.prefix))
	if a.delimiter != "" {
		element("Delimiter", a.encode(a.delimiter))
	}
	if a.encoding != "" {
		element("EncodingType", a.encoding)
	}
	element("KeyCount", strconv.Itoa(a.count))
	element("MaxKeys", strconv.Itoa(a.max))
	element("IsTruncated", strconv.FormatBool(a.truncated))
	if a.truncated {
		element("NextContinuationToken", base64.RawURLEncoding.EncodeToString([]byte(a.last)))
	}
	b.Write(a.entries)
	b.WriteString("</ListBucketResult>")
	return b.Bytes()
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// escapeURL leaves "/" as it is, as S3 does.
func escapeURL(s string) string {
	plain := func(c byte) bool {
		return 'a' <= c|0x20 && c|0x20 <= 'z' || '-' <= c && c <= '9' || c == '_'
	}
	i := 0
	for i < len(s) && plain(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/")
}
