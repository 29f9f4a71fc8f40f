package gcs

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
)

func (f *fake) insert(w http.ResponseWriter, r *http.Request, body []byte) *refuse {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return &refuse{http.StatusBadRequest, "badRequest"}
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var o fakeObject
	var content []byte
	for i := range 2 {
		part, err := parts.NextPart()
		if err != nil {
			return &refuse{http.StatusBadRequest, "badRequest"}
		}
		data, err := io.ReadAll(part)
		if err != nil || i == 0 && json.Unmarshal(data, &o) != nil {
			return &refuse{http.StatusBadRequest, "badRequest"}
		}
		content = data
	}
	f.received += int64(len(content))
	if f.damageUp > 0 {
		f.damageUp--
		content[len(content)/2] ^= 1
	}
	if o.CRC32C != "" && o.CRC32C != crcOf(content) {
		return &refuse{http.StatusBadRequest, "invalid"}
	}
	name := r.URL.Query().Get("name")
	if !holds(r, "if", f.objects[name]) {
		return &refuse{http.StatusPreconditionFailed, "conditionNotMet"}
	}
	sum := md5.Sum(content)
	o.MD5Hash = base64.StdEncoding.EncodeToString(sum[:])
	return reply(w, f.put(name, o, content))
}

func (f *fake) compose(w http.ResponseWriter, r *http.Request, name string, body []byte) *refuse {
	var req struct {
		Destination   fakeObject
		SourceObjects []struct{ Name, Generation string }
	}
	if err := json.Unmarshal(body, &req); err != nil || len(req.SourceObjects) > 32 {
		return &refuse{http.StatusBadRequest, "invalid"}
	}
	var content []byte
	for _, s := range req.SourceObjects {
		o := f.objects[s.Name]
		if o == nil || s.Generation != "" && s.Generation != o.Generation {
			return &refuse{http.StatusNotFound, "notFound"}
		}
		if o.StorageClass != req.Destination.StorageClass {
			return &refuse{http.StatusBadRequest, "invalid"}
		}
		content = append(content, o.content...)
	}
	if req.Destination.CRC32C != crcOf(content) {
		return &refuse{http.StatusBadRequest, "invalid"}
	}
	if !holds(r, "if", f.objects[name]) {
		return &refuse{http.StatusPreconditionFailed, "conditionNotMet"}
	}
	return reply(w, f.put(name, req.Destination, content))
}

func (f *fake) patch(w http.ResponseWriter, o *fakeObject, body []byte) *refuse {
	changed := *o // a version that is being told must not change
	changed.Metadata = maps.Clone(o.Metadata)
	if err := json.Unmarshal(body, &changed); err != nil { // merges maps, as JSON merge patch does
		return &refuse{http.StatusBadRequest, "invalid"}
	}
	changed.metageneration++
	changed.seal()
	f.objects[o.Name] = &changed
	return reply(w, &changed)
}

func (f *fake) rewrite(w http.ResponseWriter, r *http.Request, from *fakeObject, name string, body []byte) *refuse {
	if !holds(r, "ifSource", from) || !holds(r, "if", f.objects[name]) {
		return &refuse{http.StatusPreconditionFailed, "conditionNotMet"}
	}
	done, _ := strconv.ParseInt(r.URL.Query().Get("rewriteToken"), 10, 64)
	if done += f.rewriteMax; f.rewriteMax > 0 && done < int64(len(from.content)) {
		return reply(w, map[string]any{"done": false, "rewriteToken": strconv.FormatInt(done, 10), "totalBytesRewritten": strconv.FormatInt(done, 10), "objectSize": from.Size, "resource": from})
	}
	o := *from
	var given fakeObject
	if err := json.Unmarshal(body, &given); err != nil {
		return &refuse{http.StatusBadRequest, "invalid"}
	}
	if given.ContentType != "" || given.Metadata != nil {
		o.ContentType, o.ContentEncoding, o.Metadata = given.ContentType, given.ContentEncoding, given.Metadata
	}
	return reply(w, map[string]any{"done": true, "resource": f.put(name, o, from.content)})
}

func (f *fake) move(w http.ResponseWriter, r *http.Request, from *fakeObject, name string) *refuse {
	if f.noMove {
		return &refuse{http.StatusBadRequest, "invalid"}
	}
	if !holds(r, "ifSource", from) || !holds(r, "if", f.objects[name]) {
		return &refuse{http.StatusPreconditionFailed, "conditionNotMet"}
	}
	delete(f.objects, from.Name)
	return reply(w, f.put(name, *from, from.content))
}

func (f *fake) list(w http.ResponseWriter, r *http.Request) *refuse {
	q := r.URL.Query()
	prefix, after := q.Get("prefix"), q.Get("pageToken")
	limit, _ := strconv.Atoi(q.Get("maxResults"))
	page := struct {
		Items         []*fakeObject `json:"items"`
		Prefixes      []string      `json:"prefixes"`
		NextPageToken string        `json:"nextPageToken,omitempty"`
	}{}
	last := after // a folded entry ends in a rune that no key has, so that all below it is passed
	for _, name := range slices.Sorted(maps.Keys(f.objects)) {
		if !strings.HasPrefix(name, prefix) || name <= last {
			continue
		}
		if len(page.Items)+len(page.Prefixes) == limit {
			page.NextPageToken = last
			break
		}
		last = name
		if dir, _, ok := strings.Cut(name[len(prefix):], "/"); ok && q.Get("delimiter") != "" {
			page.Prefixes = append(page.Prefixes, prefix+dir+"/")
			last = prefix + dir + "/\U0010ffff"
		} else {
			page.Items = append(page.Items, f.objects[name])
		}
	}
	return reply(w, page)
}

// contents is the XML API's GET.
func contents(w *httptest.ResponseRecorder, r *http.Request, o *fakeObject) *refuse {
	if want := r.URL.Query().Get("generation"); want != "" && want != o.Generation {
		return &refuse{http.StatusNotFound, "NoSuchKey"}
	}
	if want := r.Header.Get("X-Goog-If-Generation-Match"); want != "" && want != o.Generation {
		return &refuse{http.StatusPreconditionFailed, "PreconditionFailed"}
	}
	w.Header().Set("X-Goog-Generation", o.Generation)
	w.Header().Set("X-Goog-Hash", "crc32c="+o.CRC32C)
	if o.MD5Hash != "" {
		w.Header().Add("X-Goog-Hash", "md5="+o.MD5Hash)
	}
	for k, v := range o.Metadata {
		w.Header().Set("x-goog-meta-"+k, v)
	}
	w.Header().Set("Content-Type", o.ContentType)
	if o.ContentEncoding != "" {
		w.Header().Set("Content-Encoding", o.ContentEncoding)
	}
	if len(o.content) == 0 && r.Header.Get("Range") != "" {
		return &refuse{http.StatusRequestedRangeNotSatisfiable, "InvalidRange"} // net/http answers 200
	}
	http.ServeContent(w, r, "", o.Updated, bytes.NewReader(o.content))
	if w.Code >= 400 {
		return &refuse{w.Code, "InvalidRange"}
	}
	return nil
}
