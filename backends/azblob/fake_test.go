package azblob

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
)

// fake is one container of the service in memory, by its reference, with what Azurite lacks
// (Put Block From URL) and what it is not strict about (ids of blocks).
type fake struct {
	*httptest.Server
	noFromURL bool
	before    func(name, key string, r *http.Request) *answer // an answer instead of the fake's own, or nil

	mu       sync.Mutex
	blobs    map[string]*fakeBlob
	staged   map[string][]fakeBlock
	versions int
	requests []string // names as script's, with the key
}

// fakeBlob is one blob.
type fakeBlob struct {
	blocks   []fakeBlock // a single one without an id if it was written by one request
	etag     string
	modified time.Time
	header   http.Header // what it was written with and is told of it
}

type fakeBlock struct {
	id   string
	data []byte
}

func (b *fakeBlob) content() []byte {
	var p []byte
	for _, block := range b.blocks {
		p = append(p, block.data...)
	}
	return p
}

func newFake(t *testing.T) *fake {
	f := &fake{blobs: make(map[string]*fakeBlob), staged: make(map[string][]fakeBlock)}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// store is a new Store on the fake, as another process has one.
func (f *fake) store(t *testing.T) *Store { return testStore(t, f.URL+"/"+testAccount, "box") }

func TestConformance(t *testing.T) {
	fakes := make(map[*Store]*fake)
	backendtest.Run(t, func(t *testing.T) backends.Backend {
		f := newFake(t)
		s := f.store(t)
		fakes[s] = f
		return s
	}, features(func(t *testing.T, s *Store) *Store {
		other := fakes[s].store(t)
		fakes[other] = fakes[s]
		return other
	}))
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/"+testAccount+"/box"), "/")
	name := strings.TrimSpace(r.Method + " " + r.URL.Query().Get("comp"))
	if name == "PUT" || name == "PUT block" {
		if r.Header.Get("X-Ms-Copy-Source") != "" {
			name += " from"
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, name+" "+key)
	if f.before != nil {
		if a := f.before(name, key, r); a != nil {
			a.send(w, "")
			return
		}
	}
	if sum := r.Header.Get("Content-Md5"); sum != "" && sum != md5Of(body) {
		refuse(w, http.StatusBadRequest, "Md5Mismatch")
		return
	}
	verb, ok := map[string]func(http.ResponseWriter, *http.Request, string, []byte){
		"PUT": f.put, "PUT from": f.copyBlob, "PUT block": f.stage, "PUT block from": f.stageFrom, "PUT blocklist": f.commit,
		"PUT metadata": f.setMetadata, "GET": f.get, "HEAD": f.get, "GET blocklist": f.blockList, "GET list": f.list, "DELETE": f.remove,
	}[name]
	if !ok {
		refuse(w, http.StatusNotImplemented, "NotImplemented")
		return
	}
	verb(w, r, key, body)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("X-Ms-Error-Code", code)
	w.WriteHeader(status)
}

// allowed checks the conditions of a request, and answers if they do not hold.
func (f *fake) allowed(w http.ResponseWriter, r *http.Request, key string) bool {
	blob, match := f.blobs[key], r.Header.Get("If-Match")
	switch {
	case r.Header.Get("If-None-Match") == "*" && blob != nil:
		refuse(w, http.StatusConflict, "BlobAlreadyExists")
	case match != "" && (blob == nil || blob.etag != match):
		refuse(w, http.StatusPreconditionFailed, "ConditionNotMet")
	default:
		return true
	}
	return false
}

// write makes a blob of blocks. Whatever is staged under its name goes.
func (f *fake) write(w http.ResponseWriter, key string, header http.Header, status int, blocks ...fakeBlock) {
	f.versions++
	blob := &fakeBlob{blocks: blocks, etag: fmt.Sprintf(`"0x%X"`, f.versions), modified: time.Now(), header: make(http.Header)}
	for name, values := range header {
		if strings.HasPrefix(name, "X-Ms-Meta-") {
			blob.header[name] = values
		}
		if told, ok := strings.CutPrefix(name, "X-Ms-Blob-Content-"); ok {
			blob.header["Content-"+told] = values
		}
	}
	f.blobs[key] = blob
	delete(f.staged, key)
	w.Header().Set("ETag", blob.etag)
	w.Header().Set("Last-Modified", blob.modified.UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
}

func (f *fake) put(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	if f.allowed(w, r, key) {
		f.write(w, key, r.Header, http.StatusCreated, fakeBlock{data: body})
		sum := md5.Sum(body)
		f.blobs[key].header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	}
}

func (f *fake) setMetadata(w http.ResponseWriter, r *http.Request, key string, _ []byte) {
	if blob := f.blobs[key]; blob != nil && f.allowed(w, r, key) {
		header, staged := r.Header.Clone(), f.staged[key]
		for name, values := range blob.header {
			if rest, ok := strings.CutPrefix(name, "Content-"); ok {
				header["X-Ms-Blob-Content-"+rest] = values
			}
		}
		f.write(w, key, header, http.StatusOK, blob.blocks...)
		f.staged[key] = staged
	}
}

func (f *fake) get(w http.ResponseWriter, r *http.Request, key string, _ []byte) {
	blob := f.blobs[key]
	if blob == nil {
		refuse(w, http.StatusNotFound, "BlobNotFound")
		return
	}
	if !f.allowed(w, r, key) {
		return
	}
	for name, values := range blob.header {
		w.Header()[name] = values
	}
	w.Header().Set("ETag", blob.etag)
	if given := r.Header.Get("X-Ms-Range"); given != "" {
		r.Header.Set("Range", given)
		if from, _, _ := strings.Cut(strings.TrimPrefix(given, "bytes="), "-"); from == strconv.Itoa(len(blob.content())) {
			refuse(w, http.StatusRequestedRangeNotSatisfiable, "InvalidRange")
			return
		}
		w.Header().Del("Content-Md5")
	}
	http.ServeContent(w, r, "", blob.modified, bytes.NewReader(blob.content()))
}

func (f *fake) remove(w http.ResponseWriter, r *http.Request, key string, _ []byte) {
	switch {
	case f.blobs[key] == nil:
		refuse(w, http.StatusNotFound, "BlobNotFound")
	case f.allowed(w, r, key):
		delete(f.blobs, key)
		w.WriteHeader(http.StatusAccepted)
	}
}

// take tells the requests since it was last called.
func (f *fake) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.requests
	f.requests = nil
	return taken
}
