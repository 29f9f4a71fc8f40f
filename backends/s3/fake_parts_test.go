package s3

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// intact tells whether a body is what the request says it is, by the checksum that all
// parts of the upload have.
func intact(r *http.Request, upload *fakeUpload, body []byte) bool {
	if upload != nil && upload.header.Get("X-Amz-Checksum-Algorithm") == "" {
		sum := md5.Sum(body)
		return r.Header.Get("Content-Md5") == base64.StdEncoding.EncodeToString(sum[:])
	}
	return r.Header.Get("X-Amz-Checksum-Crc32c") == checksum(body)
}

func (f *fake) complete(w http.ResponseWriter, r *http.Request, key string, upload *fakeUpload, body []byte) {
	if !f.condition(w, r, key) {
		return
	}
	var in struct {
		Part []struct {
			PartNumber           int
			ETag, ChecksumCRC32C string
		}
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	o := &fakeObject{header: upload.header, time: time.Now()}
	var content [][]byte
	md5s, last := md5.New(), 0
	for i, p := range in.Part {
		part, ok := upload.parts[p.PartNumber]
		if ok = ok && p.PartNumber > last; ok {
			last = p.PartNumber
		}
		sums := upload.header.Get("X-Amz-Checksum-Algorithm") == "CRC32C"
		if !ok || part.etag != p.ETag || sums && p.ChecksumCRC32C != checksum(part.content) {
			refuse(w, http.StatusBadRequest, "InvalidPart")
			return
		}
		if i < len(in.Part)-1 && int64(len(part.content)) < fakePartSize {
			refuse(w, http.StatusBadRequest, "EntityTooSmall")
			return
		}
		content = append(content, part.content)
		sum := md5.Sum(part.content)
		md5s.Write(sum[:])
	}
	o.content = slices.Concat(content...)
	o.etag = fmt.Sprintf(`"%x-%d"`, md5s.Sum(nil), len(in.Part))
	f.objects[key] = o
	delete(f.uploads, r.URL.Query().Get("uploadId"))
	answerXML(w, struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		ETag    string
	}{ETag: o.etag})
}

// partsPage is how many parts a page lists.
const partsPage = 3

func listParts(w http.ResponseWriter, q url.Values, upload *fakeUpload) {
	type entry struct {
		PartNumber, Size     int
		ETag, ChecksumCRC32C string
		LastModified         time.Time
	}
	var out struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		IsTruncated          bool
		NextPartNumberMarker int
		Part                 []entry
	}
	after, _ := strconv.Atoi(q.Get("part-number-marker"))
	for _, n := range slices.Sorted(maps.Keys(upload.parts)) {
		if n <= after {
			continue
		}
		if out.IsTruncated = len(out.Part) == partsPage; out.IsTruncated {
			break
		}
		o := upload.parts[n]
		out.NextPartNumberMarker = n
		out.Part = append(out.Part, entry{n, len(o.content), o.etag, o.header.Get("X-Amz-Checksum-Crc32c"), o.time.UTC()})
	}
	answerXML(w, out)
}

func (f *fake) listUploads(w http.ResponseWriter) {
	type upload struct {
		Key string
		ID  string `xml:"UploadId"`
	}
	var out struct {
		XMLName xml.Name `xml:"ListMultipartUploadsResult"`
		Upload  []upload
	}
	for id, u := range f.uploads {
		out.Upload = append(out.Upload, upload{u.key, id})
	}
	answerXML(w, out)
}
