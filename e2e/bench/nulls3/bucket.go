package nulls3

import (
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// object is what is known of an object.
type object struct {
	size     int64
	etag     string // without quotation marks
	modified time.Time
	header   http.Header // content type and metadata, as put
	body     []byte      // nil for the pattern
}

// upload is a multipart upload.
type upload struct {
	key    string
	header http.Header
	parts  map[int]part
}

type part struct {
	size     int64
	etag     string
	crc      string // as the client sent it
	modified time.Time
}

// bucket is all objects and uploads.
type bucket struct {
	mu      sync.Mutex
	objects map[string]*object
	uploads map[string]*upload
	sorted  []string // the keys of objects, nil while out of date
	serial  int64    // of the last ETag or upload
}

// id is a new ETag or name of an upload. The caller holds mu.
func (b *bucket) id() string {
	b.serial++
	return fmt.Sprintf("%032x", b.serial)
}

// find returns the object, or a made-up one, or nil.
func (b *bucket) find(key string) *object {
	b.mu.Lock()
	o := b.objects[key]
	b.mu.Unlock()
	if o != nil {
		return o
	}
	return invented(key)
}

// invented is an object that nobody has put: "sized-N/anything" with N octets, or one that
// the listing of "names-N/" tells.
func invented(key string) *object {
	if rest, ok := strings.CutPrefix(key, "sized-"); ok {
		number, name, _ := strings.Cut(rest, "/")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 0 && name != "" {
			return &object{size: n, etag: "sized-" + number, modified: time.Unix(1_700_000_000, 0)}
		}
	}
	if dir, n, ok := synthetic(key); ok {
		for item := range names(dir, n, key) {
			if item.Key != key {
				break
			}
			return &object{size: item.Size, etag: item.ETag, modified: item.Modified}
		}
	}
	return nil
}

// put makes the object, under the conditions of the header. It returns the code of the
// error, "" for success.
func (b *bucket) put(key string, o *object, condition http.Header) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.objects[key]
	if code := holds(condition, old); code != "" {
		return code
	}
	if o.etag == "" {
		o.etag = b.id()
	}
	if old == nil {
		b.sorted = nil
	}
	o.modified = time.Now()
	b.objects[key] = o
	return ""
}

// holds returns the code of the error that a write meets on the object that is there.
func holds(condition http.Header, old *object) string {
	if condition.Get("If-None-Match") != "" && old != nil {
		return "PreconditionFailed"
	}
	switch want := unquote(condition.Get("If-Match")); {
	case want == "":
		return ""
	case old == nil:
		return "NoSuchKey"
	case want != old.etag:
		return "PreconditionFailed"
	}
	return ""
}

// remove deletes the object, whether there is one or not.
func (b *bucket) remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.objects[key] != nil {
		delete(b.objects, key)
		b.sorted = nil
	}
}

// keys yields what was put. It is a Keys.
func (b *bucket) keys(from string) iter.Seq[Item] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sorted == nil {
		b.sorted = slices.Sorted(maps.Keys(b.objects))
	}
	all := b.sorted // never changed, only replaced
	return func(yield func(Item) bool) {
		i, _ := slices.BinarySearch(all, from)
		for _, key := range all[i:] {
			b.mu.Lock()
			o := b.objects[key]
			b.mu.Unlock()
			if o != nil && !yield(Item{Key: key, Size: o.size, ETag: o.etag, Modified: o.modified}) {
				return
			}
		}
	}
}

func unquote(etag string) string { return strings.Trim(etag, `"`) }
