package nulls3

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (q *request) createUpload() {
	b := &q.s.bucket
	b.mu.Lock()
	id := b.id()
	b.uploads[id] = &upload{key: q.key, header: kept(q.Header), parts: make(map[int]part)}
	b.mu.Unlock()
	q.tell("<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>")
}

// upload returns the upload that the request names, after refusing it if there is none. The
// caller holds the bucket's lock while it uses the upload's parts.
func (q *request) upload() *upload {
	b := &q.s.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.uploads[q.query.Get("uploadId")]
	if u == nil || u.key != q.key {
		return nil
	}
	return u
}

func (q *request) uploadPart() {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	u := q.upload()
	switch {
	case u == nil:
		q.refuse("NoSuchUpload")
		return
	case err != nil || number < 1 || number > 10_000:
		q.refuse("InvalidArgument")
		return
	}
	// Parts begin anywhere, so that their content is not checked, only its sum.
	size, err := q.receive(anywhere)
	if err != nil {
		q.refuse("BadDigest")
		return
	}
	b := &q.s.bucket
	b.mu.Lock()
	p := part{size: size, etag: b.id(), crc: q.Header.Get("X-Amz-Checksum-Crc32c"), modified: time.Now()}
	u.parts[number] = p
	b.mu.Unlock()
	q.w.Header().Set("ETag", `"`+p.etag+`"`)
	q.w.WriteHeader(http.StatusOK)
}

func (q *request) completeUpload() {
	u := q.upload()
	if u == nil {
		q.refuse("NoSuchUpload")
		return
	}
	var named struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.NewDecoder(q.Body).Decode(&named); err != nil {
		q.refuse("MalformedXML")
		return
	}
	b := &q.s.bucket
	o := &object{header: u.header}
	b.mu.Lock()
	last := 0
	for _, p := range named.Part {
		stored, ok := u.parts[p.PartNumber]
		if !ok || stored.etag != unquote(p.ETag) || p.PartNumber <= last {
			b.mu.Unlock()
			q.refuse("InvalidPart")
			return
		}
		o.size += stored.size
		last = p.PartNumber
	}
	o.etag = fmt.Sprintf("%s-%d", b.id(), len(named.Part))
	b.mu.Unlock()
	if code := b.put(q.key, o, q.Header); code != "" {
		q.refuse(code)
		return
	}
	b.end(q.query.Get("uploadId"))
	q.tell("<CompleteMultipartUploadResult><ETag>&quot;" + o.etag + "&quot;</ETag></CompleteMultipartUploadResult>")
}

func (q *request) abortUpload() {
	if q.upload() == nil {
		q.refuse("NoSuchUpload")
		return
	}
	q.s.bucket.end(q.query.Get("uploadId"))
	q.w.WriteHeader(http.StatusNoContent)
}

// end forgets an upload.
func (b *bucket) end(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.uploads, id)
}

// partsPage is how many parts a page of ListParts has.
const partsPage = 1000

func (q *request) listParts() {
	u := q.upload()
	if u == nil {
		q.refuse("NoSuchUpload")
		return
	}
	b := &q.s.bucket
	b.mu.Lock()
	parts := maps.Clone(u.parts)
	b.mu.Unlock()
	after, _ := strconv.Atoi(q.query.Get("part-number-marker")) // from the first, without it
	numbers := slices.DeleteFunc(slices.Sorted(maps.Keys(parts)), func(n int) bool { return n <= after })
	more := len(numbers) > partsPage
	numbers = numbers[:min(len(numbers), partsPage)]
	var out strings.Builder
	fmt.Fprintf(&out, "<ListPartsResult><IsTruncated>%t</IsTruncated>", more)
	for _, n := range numbers {
		p := parts[n]
		fmt.Fprintf(&out, "<NextPartNumberMarker>%d</NextPartNumberMarker>", n)
		fmt.Fprintf(&out, "<Part><PartNumber>%d</PartNumber><Size>%d</Size><ETag>&quot;%s&quot;</ETag><ChecksumCRC32C>%s</ChecksumCRC32C><LastModified>%s</LastModified></Part>",
			n, p.size, p.etag, p.crc, p.modified.UTC().Format(time.RFC3339))
	}
	out.WriteString("</ListPartsResult>")
	q.tell(out.String())
}
