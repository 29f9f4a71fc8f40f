package nulls3

import (
	"encoding/xml"
	"fmt"
	"iter"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"
)

// listed is what a client reads of an answer.
type listed struct {
	Contents []struct {
		Key, LastModified, ETag string
		Size                    int64
	}
	CommonPrefixes        []struct{ Prefix string }
	IsTruncated           bool
	KeyCount              int
	NextContinuationToken string
}

// put is a bucket of some keys, which are in order.
func put(keys ...string) Keys {
	return func(from string) iter.Seq[Item] {
		return func(yield func(Item) bool) {
			for _, k := range keys {
				if k >= from && !yield(Item{Key: k, Size: 5, ETag: "ab", Modified: time.Unix(0, 0)}) {
					return
				}
			}
		}
	}
}

func ask(t *testing.T, keys Keys, parameters url.Values) listed {
	t.Helper()
	w := httptest.NewRecorder()
	ServeList(w, httptest.NewRequest("GET", "/bench?"+parameters.Encode(), nil), keys)
	var answer listed
	if err := xml.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
		t.Fatalf("%d: %v\n%s", w.Code, err, w.Body)
	}
	if n := len(answer.Contents) + len(answer.CommonPrefixes); n != answer.KeyCount {
		t.Errorf("KeyCount %d of %d entries", answer.KeyCount, n)
	}
	return answer
}

// all reads a listing page by page: the names, and how many pages they came on.
func all(t *testing.T, keys Keys, parameters url.Values) (found []string, pages int) {
	t.Helper()
	for {
		answer := ask(t, keys, parameters)
		pages++
		page := []string{}
		for _, c := range answer.Contents {
			page = append(page, c.Key)
		}
		for _, p := range answer.CommonPrefixes {
			page = append(page, p.Prefix)
		}
		slices.Sort(page)
		found = append(found, page...)
		if !answer.IsTruncated {
			return found, pages
		}
		parameters.Set("continuation-token", answer.NextContinuationToken)
	}
}

func TestListOfWhatWasPut(t *testing.T) {
	bucket := put("a", "a b", "a/1", "a/2", "a0", "b/c/1", "b/c/2", "b/d", "ü")
	for _, tt := range []struct {
		prefix, delimiter string
		want              []string
	}{
		{"", "", []string{"a", "a b", "a/1", "a/2", "a0", "b/c/1", "b/c/2", "b/d", "ü"}},
		{"", "/", []string{"a", "a b", "a/", "a0", "b/", "ü"}},
		{"a", "/", []string{"a", "a b", "a/", "a0"}},
		{"a/", "/", []string{"a/1", "a/2"}},
		{"b/", "/", []string{"b/c/", "b/d"}},
		{"c/", "/", nil},
	} {
		for _, limit := range []string{"1", "2", "3", "1000"} {
			parameters := url.Values{"prefix": {tt.prefix}, "delimiter": {tt.delimiter}, "max-keys": {limit}}
			if got, _ := all(t, bucket, parameters); !slices.Equal(got, tt.want) {
				t.Errorf("prefix %q, delimiter %q, %s a page: %q, want %q", tt.prefix, tt.delimiter, limit, got, tt.want)
			}
		}
	}
}

func TestListEncodesKeysAsAsked(t *testing.T) {
	bucket := put("a b/ü+%&<>")
	answer := ask(t, bucket, url.Values{"encoding-type": {"url"}})
	key, err := url.QueryUnescape(answer.Contents[0].Key)
	if err != nil || key != "a b/ü+%&<>" || answer.Contents[0].Key != "a+b/%C3%BC%2B%25%26%3C%3E" {
		t.Errorf("%q: %q, %v", answer.Contents[0].Key, key, err)
	}
	plain := ask(t, bucket, url.Values{}).Contents[0]
	if plain.Key != "a b/ü+%&<>" || plain.ETag != `"ab"` || plain.Size != 5 || plain.LastModified != "1970-01-01T00:00:00.000Z" {
		t.Errorf("%+v", plain)
	}
}

func TestListOfNamesThatAreMadeUp(t *testing.T) {
	const n = 2345
	got, pages := all(t, put(), url.Values{"prefix": {NamesDir(n)}, "delimiter": {"/"}})
	if len(got) != n || pages != 3 || !slices.IsSorted(got) {
		t.Fatalf("%d names on %d pages", len(got), pages)
	}
	for i, key := range got {
		if want := NamesDir(n) + Name(i); key != want {
			t.Fatalf("name %d is %q, want %q", i, key, want)
		}
	}
}

func TestListRefusesWhatItCannotRead(t *testing.T) {
	for _, parameters := range []string{"max-keys=x", "max-keys=0", "continuation-token=%21"} {
		w := httptest.NewRecorder()
		ServeList(w, httptest.NewRequest("GET", "/bench?"+parameters, nil), put())
		if w.Code != 400 {
			t.Errorf("%s: %d", parameters, w.Code)
		}
	}
}

// Budget: 1 ms for a page of 1,000, a tenth of what reading it costs the SDK.
func BenchmarkListPage(b *testing.B) {
	parameters := fmt.Sprintf("/bench?list-type=2&encoding-type=url&delimiter=%%2F&prefix=%s", url.QueryEscape(NamesDir(1_000_000)))
	request := httptest.NewRequest("GET", parameters, nil)
	b.ReportAllocs()
	for b.Loop() {
		ServeList(httptest.NewRecorder(), request, put())
	}
}
