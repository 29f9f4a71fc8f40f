//go:build e2e

package s3

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"causeway/backends"
)

// counted is the HTTP traffic of a store: what users pay for.
type counted struct{ requests, sent, received atomic.Int64 } // octets of bodies

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// countedStore is another process's store of the bucket of s, behind a proxy that counts.
func countedStore(t *testing.T, s *Store) (*Store, *counted) {
	t.Helper()
	c := &counted{}
	to, err := url.Parse(os.Getenv("CAUSEWAY_TEST_S3"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // which is signed
			c.requests.Add(1)
			if r.Out.Body != nil {
				r.Out.Body = countedBody{r.Out.Body, &c.sent}
			}
		},
		ModifyResponse: func(r *http.Response) error {
			r.Body = countedBody{r.Body, &c.received}
			return nil
		},
	})
	t.Cleanup(proxy.Close)
	other, err := New(t.Context(), Config{
		Bucket: s.bucket, Region: "us-east-1", Endpoint: proxy.URL, PathStyle: true,
		AccessKey: os.Getenv("CAUSEWAY_TEST_S3_KEY"), SecretKey: os.Getenv("CAUSEWAY_TEST_S3_SECRET"), Budget: s.budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other, c
}

// TestS14_AppendMovesNothingOfTheObject: four octets behind 50 MiB cost some requests and
// next to no octets, in either direction.
func TestS14_AppendMovesNothingOfTheObject(t *testing.T) {
	s := serverStore(t)
	whole := bytes.Repeat([]byte("0123456789abcdef"), 50<<20/16)
	obj := write(t, s, whole, backends.CreateOptions{})
	other, c := countedStore(t, s)
	write(t, other, []byte("tail"), backends.CreateOptions{IfMatch: obj.ETag, At: obj.Size})
	requests, sent, received := c.requests.Load(), c.sent.Load(), c.received.Load()
	t.Logf("APPE of 4 octets to 50 MiB: %d requests, %d octets sent, %d received", requests, sent, received)
	if requests > 7 || sent > 4096 || received > 4096 {
		t.Errorf("%d requests, %d octets sent, %d received", requests, sent, received)
	}
	wantBytes(t, s, append(whole, "tail"...))
}

// TestS13_ResumeMovesNothingOfTheUpload: four octets more behind 50 MiB that are parked.
func TestS13_ResumeMovesNothingOfTheUpload(t *testing.T) {
	s := serverStore(t)
	whole := bytes.Repeat([]byte("0123456789abcdef"), 50<<20/16)
	u := opened(t, s, 0, backends.CreateOptions{})
	if _, err := u.Write(whole); err != nil {
		t.Fatal(err)
	}
	if n, err := u.Park(); n != int64(len(whole)) || err != nil {
		t.Fatalf("parked %d, %v", n, err)
	}
	other, c := countedStore(t, s)
	p := onlyParked(t, other)
	write(t, other, []byte("tail"), backends.CreateOptions{Resume: p.ID, At: p.Size})
	requests, sent, received := c.requests.Load(), c.sent.Load(), c.received.Load()
	t.Logf("REST and STOR of 4 octets after 50 MiB: %d requests, %d octets sent, %d received", requests, sent, received)
	if requests > 9 || sent > 8192 || received > 16384 {
		t.Errorf("%d requests, %d octets sent, %d received", requests, sent, received)
	}
	wantBytes(t, s, append(whole, "tail"...))
}

// TestS13_ServerKeepsWhatAGatewayLeaves that is killed: another process finds its parts with
// their checksums, goes on with part numbers that leave a gap, and commits.
func TestS13_ServerKeepsWhatAGatewayLeaves(t *testing.T) {
	s := serverStore(t)
	whole := bytes.Repeat([]byte("x"), 4*leastPartSize)
	_, other, p := crashed(t, s, 2*leastPartSize) // it is neither parked nor aborted
	r, tail, _, err := other.journal.Load(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	tail.Close()
	before, err := other.arrived(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	u := opened(t, other, 0, backends.CreateOptions{Resume: p.ID, At: p.Size})
	if _, err := u.Write(whole[p.Size:]); err != nil {
		t.Fatal(err)
	}
	if n, err := u.Park(); n != int64(len(whole)) || err != nil {
		t.Fatalf("parked %d, %v", n, err)
	}
	third := reopened(t, other).(*Store)
	listed, err := third.listParts(t.Context(), "k", r.Native)
	if err != nil {
		t.Fatal(err)
	}
	var numbers []int
	for _, p := range append(before.parts, listed...) {
		numbers = append(numbers, p.number)
		if p.crc == "" || p.size != leastPartSize || p.time.IsZero() {
			t.Errorf("listed: %+v", p)
		}
	}
	if want := []int{1, 2, 1, 2, 3 + lead, 4 + lead}; !slices.Equal(numbers, want) {
		t.Errorf("part numbers %v, want %v", numbers, want)
	}
	p = onlyParked(t, third)
	write(t, third, nil, backends.CreateOptions{Resume: p.ID, At: p.Size})
	wantBytes(t, third, whole)
	if left, err := openUploads(t.Context(), third); len(left) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// write writes p to k.
func write(t *testing.T, s *Store, p []byte, o backends.CreateOptions) backends.Object {
	t.Helper()
	u, err := s.Create(t.Context(), "k", o)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if _, err := u.Write(p); err != nil {
		t.Fatal(err)
	}
	obj, err := u.Commit()
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func wantBytes(t *testing.T, s *Store, want []byte) {
	t.Helper()
	r, err := s.Open(t.Context(), "k", backends.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d octets, want %d: %v", len(got), len(want), err)
	}
}
