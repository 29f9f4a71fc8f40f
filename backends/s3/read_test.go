package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

// TestReaderWatchesTheServer: a body that brings nothing for too long is given up; the
// client may take its time.
func TestReaderWatchesTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		body, server := io.Pipe()
		r := &reader{ctx: ctx, cancel: cancel, key: "k", body: body}
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			server.Write([]byte("ab"))
			<-ctx.Done() // as the HTTP client does it
			server.CloseWithError(ctx.Err())
		}()
		p := make([]byte, 1)
		if _, err := r.Read(p); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * progressTime)
		if _, err := r.Read(p); err != nil {
			t.Fatalf("after a pause of the client: %v", err)
		}
		if _, err := r.Read(p); !errors.Is(err, errNoProgress) || !errors.Is(err, backends.ErrUnavailable) {
			t.Errorf("hanging server: %v", err)
		}
		<-stop
		r.Close()
	})
}

// FuzzContentRange: what is believed of a range is what was asked for.
func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 3-9/10", "bytes 3-9/*", "bytes */10", "bytes 3-9", "bytes 30-9/10", "bytes 3-9/-1", "bytes 3-/99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		size, err := wholeSize(&s3.GetObjectOutput{ContentRange: aws.String(header)}, backends.OpenOptions{Offset: 3})
		if err == nil && (size < 0 || !bytes.HasPrefix([]byte(header), []byte("bytes 3-"))) {
			t.Errorf("%q: size %d", header, size)
		}
	})
}

// BenchmarkRead is what watching the server adds to each read.
// Budget: 0 allocs/op, under 1 µs.
func BenchmarkRead(b *testing.B) {
	ctx, cancel := context.WithCancelCause(b.Context())
	defer cancel(nil)
	r := &reader{ctx: ctx, cancel: cancel, key: "k", body: io.NopCloser(zeros{})}
	p := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
