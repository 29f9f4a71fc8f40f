package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"pgregory.net/rapid"

	"causeway/backends/transport"
)

// wiretap answers requests itself.
type wiretap func(*http.Request) (*http.Response, error)

func (w wiretap) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// answer is what a wiretap answers.
func answer(status int, body string, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Header: header, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}
}

// both are the SDK's client and a lean, which make their requests by w.
func both(t testing.TB, c Config, w http.RoundTripper) (*s3.Client, *lean) {
	t.Helper()
	c.AccessKey, c.SecretKey = "key", "secret"
	o, err := options(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	o.HTTPClient = client(w)
	sdk := s3.New(o)
	return sdk, newLean(t.Context(), sdk, c.Bucket, w)
}

// seen is what a server sees of one, but for what is the maker's own.
func seen(r *http.Request) string {
	h := r.Header.Clone()
	for name := range h {
		// Of the SDK's telemetry, and what depends on the time and on that.
		if strings.HasPrefix(name, "Amz-Sdk-") || name == "X-Amz-Date" || name == "Authorization" || name == "User-Agent" {
			h.Del(name)
		}
	}
	q := r.URL.Query()
	q.Del("x-id")
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	lines := []string{fmt.Sprintf("%s %s://%s%s?%s %d %q", r.Method, r.URL.Scheme, r.URL.Host, r.URL.EscapedPath(), q.Encode(), r.ContentLength, body)}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lines = append(lines, fmt.Sprintf("%s: %q", name, h[name]))
	}
	return strings.Join(lines, "\n")
}

// places are buckets where lean makes requests itself. Read only.
var places = []Config{
	{Bucket: "bucket", Region: "eu-north-1"},
	{Bucket: "with.dots", Region: "us-east-1"},
	{Bucket: "bucket", Endpoint: "http://store.test:9000", PathStyle: true},
	{Bucket: "tenant:bucket", Endpoint: "http://store.test:9000", PathStyle: true}, // as Ceph names them
	{Bucket: "bucket", Endpoint: "https://store.test/below", PathStyle: true},
	{Bucket: "bucket", Endpoint: "https://store.test"},
}

// TestLeanAsksWhatTheSDKAsks: the same octets on the wire but for the SDK's telemetry.
func TestLeanAsksWhatTheSDKAsks(t *testing.T) {
	text := rapid.StringMatching(`[ -~]{0,8}`)
	key := rapid.OneOf(rapid.StringMatching(`[a-z/ .+%?#*&=~'()]{1,12}`), rapid.StringN(1, 12, -1))
	rapid.Check(t, func(r *rapid.T) {
		optional := func(name string) *string {
			if !rapid.Bool().Draw(r, name+" is there") {
				return nil
			}
			return aws.String(strings.TrimSpace(text.Draw(r, name)))
		}
		place := rapid.SampledFrom(places).Draw(r, "place")
		content := rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(r, "content")
		put := s3.PutObjectInput{
			Bucket: &place.Bucket, Key: aws.String(key.Draw(r, "key")), ContentLength: aws.Int64(int64(len(content))),
			ChecksumCRC32C: sum(content), ContentType: optional("type"), IfMatch: optional("if-match"), IfNoneMatch: optional("if-none-match"),
			CacheControl: optional("cache"), ContentDisposition: optional("disposition"), ContentEncoding: optional("encoding"),
			ContentLanguage: optional("language"), WebsiteRedirectLocation: optional("redirect"),
			StorageClass: types.StorageClass(aws.ToString(optional("class"))),
			Metadata:     rapid.MapOf(rapid.StringMatching(`[a-z0-9-]{1,8}`), rapid.StringMatching(`[!-~]{1,8}`)).Draw(r, "metadata"),
		}
		if rapid.Bool().Draw(r, "expires is there") {
			put.Expires = aws.Time(time.Unix(rapid.Int64Range(0, 1<<32).Draw(r, "expires"), 0))
		}
		get := s3.GetObjectInput{Bucket: put.Bucket, Key: put.Key, IfMatch: put.IfMatch, Range: optional("range")}

		var requests []string
		sdk, lean := both(t, place, wiretap(func(r *http.Request) (*http.Response, error) {
			requests = append(requests, seen(r))
			return answer(http.StatusOK, "", nil), nil
		}))
		body := func() *s3.PutObjectInput { put.Body = bytes.NewReader(content); return &put }
		_, err1 := sdk.PutObject(t.Context(), body())
		_, err2 := lean.put(t.Context(), body())
		_, err3 := sdk.GetObject(t.Context(), &get)
		_, err4 := lean.get(t.Context(), &get)
		if err := errors.Join(err1, err2, err3, err4); err != nil || len(requests) != 4 {
			r.Fatalf("%d requests, %v", len(requests), err)
		}
		for i := 0; i < 4; i += 2 {
			if requests[i] != requests[i+1] {
				r.Fatalf("SDK:\n%s\nlean:\n%s", requests[i], requests[i+1])
			}
		}
		if lean.off.Load() {
			r.Fatal("all is left to the SDK")
		}
	})
}

// TestLeanLeavesOthersToTheSDK: buckets that want more than a plain signature.
func TestLeanLeavesOthersToTheSDK(t *testing.T) {
	for _, bucket := range []string{
		"bucket--use1-az4--x-s3", "arn:aws:s3:us-west-2:123456789012:accesspoint/name", "arn:aws:s3::123456789012:accesspoint/name.mrap",
	} {
		if _, l := both(t, Config{Bucket: bucket, Region: "us-east-1"}, http.DefaultTransport); !l.off.Load() {
			t.Errorf("%s: requests are made without the SDK", bucket)
		}
	}
}

// TestLeanJudgesAsTheSDKDoes: a failure is of the same kind, and is repeated as often after
// the try that was lean's own.
func TestLeanJudgesAsTheSDKDoes(t *testing.T) {
	const told = "<Error><Code>%s</Code><Message>m</Message><RequestId>r</RequestId></Error>"
	bodies := []string{"", "<html>not XML", fmt.Sprintf(told, "SlowDown")}
	for code := range codes {
		bodies = append(bodies, fmt.Sprintf(told, code))
	}
	for _, status := range []int{200, 301, 307, 400, 403, 404, 405, 409, 411, 412, 416, 429, 500, 501, 503, 507} {
		for _, body := range bodies {
			if status == http.StatusOK && !strings.Contains(body, "<Error") {
				continue
			}
			judgedAlike(t, fmt.Sprint(status, body), func() (*http.Response, error) { return answer(status, body, nil), nil })
		}
	}
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, transport.ErrStalled, context.Canceled} {
		judgedAlike(t, err.Error(), func() (*http.Response, error) { return nil, fmt.Errorf("broken: %w", err) })
	}
}

// judgedAlike has the SDK and lean put an object, and compares what they make of the
// answer.
func judgedAlike(t *testing.T, name string, answer func() (*http.Response, error)) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		sdk, lean := both(t, places[0], wiretap(func(*http.Request) (*http.Response, error) {
			tries++
			return answer()
		}))
		judge := func(put func(*s3.PutObjectInput) error) (made int, as error) {
			tries = 0
			err := put(&s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), ContentLength: aws.Int64(1), Body: strings.NewReader("x")})
			return tries, kind(call{}, err)
		}
		most, want := judge(func(in *s3.PutObjectInput) error { _, err := sdk.PutObject(t.Context(), in); return err })
		n, got := judge(func(in *s3.PutObjectInput) error { _, err := lean.put(t.Context(), in); return err })
		if most > 1 || strings.Contains(name, "RequestTimeTooSkewed") {
			most++
		}
		if got != want || n != most { //nolint:errorlint // kinds are values
			t.Errorf("%s: %v by %d tries, want %v by %d", name, got, n, want, most)
		}
	})
}

// TestLeanLeavesClocksToTheSDK, which finds out by how much the machine's is wrong.
func TestLeanLeavesClocksToTheSDK(t *testing.T) {
	const wrong = time.Hour
	tries := 0
	_, lean := both(t, places[0], wiretap(func(r *http.Request) (*http.Response, error) {
		tries++
		now := time.Now().Add(wrong).UTC()
		date := http.Header{"Date": {now.Format(http.TimeFormat)}}
		if at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date")); err != nil || now.Sub(at).Abs() > 5*time.Minute {
			return answer(http.StatusForbidden, "<Error><Code>RequestTimeTooSkewed</Code></Error>", date), nil
		}
		return answer(http.StatusOK, "", date), nil
	}))
	for _, want := range []int{3, 1} {
		tries = 0
		_, err := lean.put(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), ContentLength: aws.Int64(1), Body: strings.NewReader("x")})
		if err != nil || tries != want {
			t.Errorf("%d tries, want %d: %v", tries, want, err)
		}
	}
}

// TestLeanTakesBodiesBack: a transport that goes on reading what it was to send gets
// nothing, and the next try sends all.
func TestLeanTakesBodiesBack(t *testing.T) {
	var late io.Reader
	var sent []byte
	_, lean := both(t, places[0], wiretap(func(r *http.Request) (*http.Response, error) {
		if late == nil {
			late = r.Body
			_, err := io.ReadFull(late, make([]byte, 3))
			return nil, errors.Join(err, syscall.ECONNRESET)
		}
		if n, err := late.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("read %d octets of a body that was taken back, %v", n, err)
		}
		var err error
		sent, err = io.ReadAll(r.Body)
		return answer(http.StatusOK, "", http.Header{"Etag": {`"e"`}}), err
	}))
	out, err := lean.put(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), ContentLength: aws.Int64(7), Body: strings.NewReader("content")})
	if err != nil || string(sent) != "content" || aws.ToString(out.ETag) != `"e"` {
		t.Errorf("sent %q, %v", sent, err)
	}
}

// TestLeanEarnsRetries: after an outage that has spent the SDK's budget for retries,
// requests that go well fill it again, as the SDK's own do.
func TestLeanEarnsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := 0 // so many times
		_, lean := both(t, places[0], wiretap(func(*http.Request) (*http.Response, error) {
			if fail--; fail >= 0 {
				return answer(http.StatusServiceUnavailable, "", nil), nil
			}
			return answer(http.StatusOK, "", nil), nil
		}))
		put := func() error {
			_, err := lean.put(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k"), ContentLength: aws.Int64(1), Body: strings.NewReader("x")})
			return err
		}
		get := func() error {
			_, err := lean.get(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String("k")})
			return err
		}
		for _, request := range []func() error{put, get} {
			fail = 1000
			for range 100 {
				if request() == nil {
					t.Fatal("a store that is down has answered")
				}
			}
			fail = 0
			for range 100 {
				if err := request(); err != nil {
					t.Fatal(err)
				}
			}
			fail = 1
			if err := request(); err != nil {
				t.Errorf("a failure that passes was not repeated: %v", err)
			}
		}
	})
}
