package nulls3

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxRecord bounds what is kept of one object: a part that was parked, and its record.
const maxRecord = 32 << 20

func (q *request) putObject() {
	o := &object{header: kept(q.Header)}
	var err error
	if strings.HasPrefix(q.key, ".causeway/") {
		o.body, err = io.ReadAll(io.LimitReader(q.Body, maxRecord))
		o.size = int64(len(o.body))
		q.s.stats.in.Add(o.size)
	} else {
		o.size, err = q.receive(0)
	}
	if err != nil {
		q.refuse("BadDigest")
		return
	}
	if code := q.s.bucket.put(q.key, o, q.Header); code != "" {
		q.refuse(code)
		return
	}
	q.w.Header().Set("ETag", `"`+o.etag+`"`)
	q.w.WriteHeader(http.StatusOK)
}

// anywhere is an offset that nobody knows.
const anywhere = -1

// receive counts the body, which begins at the offset of its object, and checks it if that
// was asked for.
func (q *request) receive(offset int64) (int64, error) {
	buf := q.s.buffers.Get().(*[]byte)
	defer q.s.buffers.Put(buf)
	var size int64
	var sum uint32
	for {
		n, err := q.Body.Read(*buf)
		if q.s.o.Verify && n > 0 {
			sum = crc32.Update(sum, crc32.MakeTable(crc32.Castagnoli), (*buf)[:n])
			if err := q.checked(offset, size, (*buf)[:n]); err != nil {
				return size, err
			}
		}
		size += int64(n)
		q.s.in.spend(q.Context(), n)
		if err == io.EOF {
			q.s.stats.in.Add(size)
			return size, q.summed(sum)
		}
		if err != nil {
			return size, err
		}
	}
}

// checked compares what came after size octets with the pattern.
func (q *request) checked(offset, size int64, b []byte) error {
	if offset == anywhere {
		return nil
	}
	return q.s.content.Check(offset+size, b)
}

// summed compares the CRC32C that was sent, if that was asked for.
func (q *request) summed(sum uint32) error {
	sent := q.Header.Get("X-Amz-Checksum-Crc32c")
	if q.s.o.Verify && sent != "" && sent != base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum)) {
		return errors.New("checksum differs")
	}
	return nil
}

func (q *request) getObject() {
	o := q.s.bucket.find(q.key)
	if o == nil {
		q.refuse("NoSuchKey")
		return
	}
	if want := unquote(q.Header.Get("If-Match")); want != "" && want != o.etag {
		q.refuse("PreconditionFailed")
		return
	}
	from, to, status := int64(0), o.size, http.StatusOK
	h := q.w.Header()
	if text := q.Header.Get("Range"); text != "" {
		var ok bool
		if from, to, ok = span(text, o.size); !ok {
			q.refuse("InvalidRange")
			return
		}
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, o.size))
	}
	for name, values := range o.header {
		h[name] = values
	}
	h.Set("ETag", `"`+o.etag+`"`)
	h.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Length", strconv.FormatInt(to-from, 10))
	q.w.WriteHeader(status)
	if q.Method == http.MethodGet {
		q.send(o, from, to)
	}
}

// span reads a Range header of one range: the octets from one offset up to another.
func span(text string, size int64) (from, to int64, ok bool) {
	first, last, ok := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	from, err := strconv.ParseInt(first, 10, 64)
	if !ok || err != nil || from >= size {
		return 0, 0, false
	}
	if last == "" {
		return from, size, true
	}
	to, err = strconv.ParseInt(last, 10, 64)
	if err != nil || to < from {
		return 0, 0, false
	}
	return from, min(to+1, size), true
}

// send writes the octets from one offset up to another. That the client has gone is seen by
// nobody but it.
func (q *request) send(o *object, from, to int64) {
	for at := from; at < to; {
		b := o.body
		if b != nil {
			b = b[at:]
		} else {
			b = q.s.content.At(at)[:bufferSize]
		}
		b = b[:min(int64(len(b)), to-at)]
		q.s.out.spend(q.Context(), len(b))
		n, err := q.w.Write(b)
		q.s.stats.out.Add(int64(n))
		at += int64(n)
		if err != nil {
			return
		}
	}
}

func (q *request) copyObject() {
	source, err := url.PathUnescape(q.Header.Get("X-Amz-Copy-Source"))
	if err != nil {
		q.refuse("InvalidArgument")
		return
	}
	_, key, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	from := q.s.bucket.find(key)
	if from == nil {
		q.refuse("NoSuchKey")
		return
	}
	if want := unquote(q.Header.Get("X-Amz-Copy-Source-If-Match")); want != "" && want != from.etag {
		q.refuse("PreconditionFailed")
		return
	}
	o := &object{size: from.size, header: from.header, body: from.body}
	if q.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" {
		o.header = kept(q.Header)
	}
	if code := q.s.bucket.put(q.key, o, q.Header); code != "" {
		q.refuse(code)
		return
	}
	q.tell(fmt.Sprintf("<CopyObjectResult><ETag>&quot;%s&quot;</ETag><LastModified>%s</LastModified></CopyObjectResult>",
		o.etag, time.Now().UTC().Format(time.RFC3339)))
}

// tell answers with a document.
func (q *request) tell(document string) {
	q.w.Header().Set("Content-Type", "application/xml")
	_, _ = io.WriteString(q.w, document) // who has gone needs no answer
}
