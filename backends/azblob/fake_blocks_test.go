package azblob

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func (f *fake) stage(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	id := r.URL.Query().Get("blockid")
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil || len(raw) > 64 {
		refuse(w, http.StatusBadRequest, "InvalidQueryParameterValue")
		return
	}
	staged := f.staged[key]
	if len(staged) > 0 && len(staged[0].id) != len(id) {
		refuse(w, http.StatusBadRequest, "InvalidBlobOrBlock")
		return
	}
	staged = slices.DeleteFunc(staged, func(b fakeBlock) bool { return b.id == id })
	f.staged[key] = append(staged, fakeBlock{id, bytes.Clone(body)})
	w.Header().Set("Content-Md5", md5Of(body))
	w.WriteHeader(http.StatusCreated)
}

// source is the content that a request names as its source, if it may be read. It answers
// otherwise.
func (f *fake) source(w http.ResponseWriter, r *http.Request) ([]byte, *fakeBlob) {
	from, err := url.Parse(r.Header.Get("X-Ms-Copy-Source"))
	if err != nil || from.Query().Get("sig") == "" {
		refuse(w, http.StatusForbidden, "CannotVerifyCopySource")
		return nil, nil
	}
	blob := f.blobs[strings.TrimPrefix(from.Path, "/"+testAccount+"/box/")]
	switch match := r.Header.Get("X-Ms-Source-If-Match"); {
	case blob == nil:
		refuse(w, http.StatusNotFound, "CannotVerifyCopySource")
		return nil, nil
	case match != "" && match != blob.etag:
		refuse(w, http.StatusPreconditionFailed, "SourceConditionNotMet")
		return nil, nil
	}
	return blob.content(), blob
}

func (f *fake) stageFrom(w http.ResponseWriter, r *http.Request, key string, _ []byte) {
	if f.noFromURL {
		refuse(w, http.StatusNotImplemented, "NotImplemented")
		return
	}
	content, blob := f.source(w, r)
	if blob == nil {
		return
	}
	var from, to int
	if _, err := fmt.Sscanf(r.Header.Get("X-Ms-Source-Range"), "bytes=%d-%d", &from, &to); err != nil || to >= len(content) {
		refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
		return
	}
	f.stage(w, r, key, content[from:to+1])
}

func (f *fake) copyBlob(w http.ResponseWriter, r *http.Request, key string, _ []byte) {
	content, blob := f.source(w, r)
	if blob == nil || !f.allowed(w, r, key) {
		return
	}
	header := r.Header.Clone()
	for name, values := range blob.header {
		if rest, ok := strings.CutPrefix(name, "Content-"); ok {
			header["X-Ms-Blob-Content-"+rest] = values
		}
	}
	f.write(w, key, header, http.StatusAccepted, fakeBlock{data: content})
}

func (f *fake) commit(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	var list struct{ Latest []string }
	if err := xml.Unmarshal(body, &list); err != nil {
		refuse(w, http.StatusBadRequest, "InvalidXmlDocument")
		return
	}
	if !f.allowed(w, r, key) {
		return
	}
	known := slices.Clone(f.staged[key])
	if blob := f.blobs[key]; blob != nil {
		known = append(known, blob.blocks...)
	}
	var blocks []fakeBlock
	for _, id := range list.Latest {
		i := slices.IndexFunc(known, func(b fakeBlock) bool { return b.id == id })
		if i < 0 || id == "" || len(id) != len(list.Latest[0]) {
			refuse(w, http.StatusBadRequest, "InvalidBlockList")
			return
		}
		blocks = append(blocks, known[i])
	}
	f.write(w, key, r.Header, http.StatusCreated, blocks...)
}

// named is a block as a list of blocks tells it.
type named struct {
	Name string
	Size int
}

func (f *fake) blockList(w http.ResponseWriter, _ *http.Request, key string, _ []byte) {
	blob := f.blobs[key]
	if blob == nil && len(f.staged[key]) == 0 {
		refuse(w, http.StatusNotFound, "BlobNotFound")
		return
	}
	var list struct {
		XMLName           xml.Name `xml:"BlockList"`
		CommittedBlocks   struct{ Block []named }
		UncommittedBlocks struct{ Block []named }
	}
	for _, b := range f.staged[key] {
		list.UncommittedBlocks.Block = append(list.UncommittedBlocks.Block, named{b.id, len(b.data)})
	}
	if blob != nil {
		w.Header().Set("ETag", blob.etag)
		for _, b := range blob.blocks {
			if b.id != "" {
				list.CommittedBlocks.Block = append(list.CommittedBlocks.Block, named{b.id, len(b.data)})
			}
		}
	}
	answerXML(w, list)
}

func answerXML(w http.ResponseWriter, v any) {
	text, err := xml.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write(append([]byte(xml.Header), text...)) // the client may have gone
}

// listing is what the service makes of a page.
type listing struct {
	XMLName xml.Name `xml:"EnumerationResults"`
	Blobs   struct {
		Blob       []item
		BlobPrefix []struct{ Name string }
	}
	NextMarker string
}

type item struct {
	Name       string
	Properties struct {
		LastModified  string `xml:"Last-Modified"`
		Etag          string
		ContentLength int    `xml:"Content-Length"`
		ContentType   string `xml:"Content-Type"`
		ContentMD5    string `xml:"Content-MD5,omitempty"`
	}
	Metadata struct{ Values []meta }
}

type meta struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

func (f *fake) list(w http.ResponseWriter, r *http.Request, _ string, _ []byte) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("maxresults"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidQueryParameterValue")
		return
	}
	var page listing
	prefix, seen := q.Get("prefix"), 0
	for _, key := range slices.Sorted(maps.Keys(f.blobs)) {
		rest, ok := strings.CutPrefix(key, prefix)
		name, folded := key, false
		if first, _, cut := strings.Cut(rest, "/"); cut && q.Get("delimiter") != "" {
			name, folded = prefix+first+"/", true
		}
		last := len(page.Blobs.BlobPrefix) - 1
		switch {
		case !ok, name < q.Get("marker"), folded && last >= 0 && page.Blobs.BlobPrefix[last].Name == name:
			continue
		case seen == limit:
			page.NextMarker = name
			answerXML(w, page)
			return
		case folded:
			page.Blobs.BlobPrefix = append(page.Blobs.BlobPrefix, struct{ Name string }{name})
		default:
			page.Blobs.Blob = append(page.Blobs.Blob, f.blobs[key].item(key))
		}
		seen++
	}
	answerXML(w, page)
}

func (b *fakeBlob) item(key string) item {
	i := item{Name: key}
	i.Properties.LastModified = b.modified.UTC().Format(http.TimeFormat)
	i.Properties.Etag = strings.Trim(b.etag, `"`)
	i.Properties.ContentLength = len(b.content())
	i.Properties.ContentType = b.header.Get("Content-Type")
	i.Properties.ContentMD5 = b.header.Get("Content-Md5")
	for name, values := range b.header {
		if rest, ok := strings.CutPrefix(name, "X-Ms-Meta-"); ok {
			i.Metadata.Values = append(i.Metadata.Values, meta{xml.Name{Local: rest}, values[0]})
		}
	}
	return i
}
