package gcs

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const fakeBucket = "fake-bucket"

// fake is a small Google Cloud Storage with one bucket: what the store uses of the JSON
// and XML APIs, with the conditions, the checks of checksums and the atomic move that
// fake-gcs-server lacks. Composed objects have no MD5, as in the service.
type fake struct {
	*httptest.Server

	mu         sync.Mutex
	objects    map[string]*fakeObject
	generation int64
	requests   []string // operations, one for each
	received   int64    // octets of contents that were uploaded
	sent       int64    // octets of bodies that were sent
	faults     []fault
	noMove     bool  // as servers that imitate the service
	rewriteMax int64 // octets that one rewrite request copies, 0 for all
	bodyMax    int64 // octets after which a body breaks off, 0 for never
	damage     bool  // contents are changed on their way down
	damageUp   int   // contents that are still to be changed on their way up
}

// fault strikes the next request of an operation.
type fault struct {
	operation string
	status    int    // answered instead of carrying the request out
	reason    string // of the status
	lose      bool   // instead: the request is carried out and the answer lost
}

// fakeObject is the JSON of an object, with its content.
type fakeObject struct {
	Name                string            `json:"name"`
	Bucket              string            `json:"bucket"`
	Size                string            `json:"size"`
	Generation          string            `json:"generation"`
	Metageneration      string            `json:"metageneration"`
	TimeCreated         time.Time         `json:"timeCreated"`
	Updated             time.Time         `json:"updated"`
	ContentType         string            `json:"contentType,omitempty"`
	ContentEncoding     string            `json:"contentEncoding,omitempty"`
	CacheControl        string            `json:"cacheControl,omitempty"`
	StorageClass        string            `json:"storageClass,omitempty"`
	Metadata            map[string]string `json:"metadata,omitempty"`
	MD5Hash             string            `json:"md5Hash,omitempty"`
	CRC32C              string            `json:"crc32c,omitempty"`
	content             []byte
	gen, metageneration int64
}

func newFake(t *testing.T) *fake {
	f := &fake{objects: make(map[string]*fakeObject), generation: 1000}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// age makes all objects whose names begin with prefix older.
func (f *fake) age(prefix string, by time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, o := range f.objects {
		if strings.HasPrefix(name, prefix) {
			older := *o
			older.TimeCreated, older.Updated = o.TimeCreated.Add(-by), o.Updated.Add(-by)
			f.objects[name] = &older
		}
	}
}

// moved are the octets of contents that were received and sent since it was last called.
func (f *fake) moved() (received, sent int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	received, sent = f.received, f.sent
	f.received, f.sent = 0, 0
	return received, sent
}

// names are those of all objects that begin with prefix.
func (f *fake) names(prefix string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for name := range f.objects {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// content is that of an object, nil if there is none.
func (f *fake) content(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o := f.objects[name]; o != nil {
		return o.content
	}
	return nil
}

// strike adds a fault.
func (f *fake) strike(faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, faults...)
}

// take returns the operations since it was last called.
func (f *fake) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	requests := f.requests
	f.requests = nil
	return requests
}

// refuse answers with an error in the form of the JSON API.
type refuse struct {
	status int
	reason string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	operation, names := route(r)
	f.requests = append(f.requests, operation)
	struck, lose := f.fault(operation)
	if struck == nil {
		answer := httptest.NewRecorder()
		struck = f.serve(answer, r, operation, names, body)
		if struck == nil && lose {
			panic(http.ErrAbortHandler)
		}
		if struck == nil {
			f.send(w, answer)
			return
		}
	}
	w.WriteHeader(struck.status)
	if operation == "get" {
		fmt.Fprintf(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>no</Message></Error>", struck.reason)
		return
	}
	fmt.Fprintf(w, `{"error":{"code":%d,"message":"no","errors":[{"reason":%q,"domain":"global"}]}}`, struck.status, struck.reason)
}

// send passes an answer on, as whole as the fake is told to.
func (f *fake) send(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	maps.Copy(w.Header(), answer.Header())
	body := answer.Body.Bytes()
	if answer.Header().Get("X-Goog-Generation") != "" {
		f.sent += int64(len(body))
	}
	if f.damage && answer.Header().Get("X-Goog-Generation") != "" {
		body[len(body)/2] ^= 1
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(answer.Code)
	if f.bodyMax > 0 && f.bodyMax < int64(len(body)) && answer.Header().Get("X-Goog-Generation") != "" {
		w.Write(body[:f.bodyMax])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Write(body)
}

func (f *fake) fault(operation string) (*refuse, bool) {
	for i, x := range f.faults {
		if x.operation != operation {
			continue
		}
		f.faults = slices.Delete(f.faults, i, i+1)
		if x.lose {
			return nil, true
		}
		return &refuse{x.status, x.reason}, false
	}
	return nil, false
}

// route names the operation of a request and the bucket and objects in its path.
func route(r *http.Request) (operation string, names []string) {
	for segment := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		name, _ := url.PathUnescape(segment)
		names = append(names, name)
	}
	switch {
	case names[0] == "upload":
		return "insert", []string{names[4]}
	case names[0] != "storage":
		return "get", names
	case len(names) == 5:
		return "list", names[3:4]
	case len(names) == 6:
		names = []string{names[3], names[5]}
		return map[string]string{"GET": "attrs", "DELETE": "delete", "PATCH": "patch"}[r.Method], names
	case names[6] == "compose":
		return "compose", []string{names[3], names[5]}
	case names[6] == "moveTo":
		return "move", []string{names[3], names[5], names[8]}
	}
	return "rewrite", []string{names[3], names[5], names[10]}
}

func (f *fake) serve(w *httptest.ResponseRecorder, r *http.Request, operation string, names []string, body []byte) *refuse {
	if names[0] != fakeBucket {
		return &refuse{http.StatusNotFound, map[bool]string{true: "NoSuchBucket", false: "notFound"}[operation == "get"]}
	}
	switch operation {
	case "insert":
		return f.insert(w, r, body)
	case "list":
		return f.list(w, r)
	case "compose":
		return f.compose(w, r, names[1], body)
	}
	o := f.objects[names[1]]
	if o == nil {
		return &refuse{http.StatusNotFound, map[bool]string{true: "NoSuchKey", false: "notFound"}[operation == "get"]}
	}
	switch operation {
	case "get":
		return contents(w, r, o)
	case "rewrite":
		return f.rewrite(w, r, o, names[2], body)
	case "move":
		return f.move(w, r, o, names[2])
	}
	if !holds(r, "if", o) {
		return &refuse{http.StatusPreconditionFailed, "conditionNotMet"}
	}
	switch operation {
	case "delete":
		delete(f.objects, o.Name)
		w.WriteHeader(http.StatusNoContent)
		return nil
	case "patch":
		return f.patch(w, o, body)
	}
	return reply(w, o)
}

// holds checks the conditions whose parameters begin with prefix; o may be nil.
func holds(r *http.Request, prefix string, o *fakeObject) bool {
	var generation, metageneration int64
	if o != nil {
		generation, metageneration = o.gen, o.metageneration
	}
	q := r.URL.Query()
	for name, is := range map[string]int64{"GenerationMatch": generation, "MetagenerationMatch": metageneration} {
		if want := q.Get(prefix + name); want != "" && want != strconv.FormatInt(is, 10) {
			return false
		}
	}
	return true
}

// put makes o, with content, the object of name.
func (f *fake) put(name string, o fakeObject, content []byte) *fakeObject {
	f.generation++
	o.Name, o.Bucket, o.content, o.gen, o.metageneration = name, fakeBucket, content, f.generation, 1
	o.TimeCreated = time.Now()
	o.Size, o.CRC32C = strconv.Itoa(len(content)), crcOf(content)
	f.objects[name] = &o
	o.seal()
	return &o
}

func (o *fakeObject) seal() {
	o.Updated = time.Now()
	o.Generation, o.Metageneration = strconv.FormatInt(o.gen, 10), strconv.FormatInt(o.metageneration, 10)
}

func crcOf(content []byte) string {
	sum := crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}

func reply(w http.ResponseWriter, v any) *refuse {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
	return nil
}
