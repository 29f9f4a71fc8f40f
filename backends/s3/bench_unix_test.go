//go:build unix

package s3

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"causeway/backends"
	"causeway/backends/multipart"
)

// The benchmarks have their store in another process, so that what they tell as CPU is the
// client's own: of this package, and of the SDK by itself ("direct") with the cheapest
// settings that keep a checksum with each part.

const (
	bulk  = 128 << 20 // octets of a large object
	small = 4 << 10
	// lanes is how many large objects are under way at a time, crowd how many small ones.
	lanes, crowd = 2, 8
)

// sdk is a client as a user of the SDK would set it up who cares for the cost.
func sdk(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", UsePathStyle: true, BaseEndpoint: &endpoint,
		Credentials:                aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("key", "secret", "")),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		APIOptions:                 []func(*middleware.Stack) error{v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware},
	})
}

func benchStore(b *testing.B, endpoint string) *Store {
	s, err := New(b.Context(), Config{
		Bucket: "bucket", Endpoint: endpoint, PathStyle: true, AccessKey: "key", SecretKey: "secret",
		Budget: multipart.NewBudget(256<<20, nil),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// cpu is the time that this process has had, user's and system's.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // of itself it cannot fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs do b.N times, so many at once, and reports CPU beside time and memory.
func measure(b *testing.B, size int64, at int, do func(ctx context.Context, n int) error) {
	if err := do(b.Context(), 0); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	b.ResetTimer()
	begun := cpu()
	var next atomic.Int64
	var all sync.WaitGroup
	for range at {
		all.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := do(b.Context(), int(n)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	took := cpu() - begun
	b.ReportMetric(float64(took.Microseconds())/float64(b.N), "cpu-µs/op")
	if size >= 1<<20 {
		b.ReportMetric(took.Seconds()*(1<<30)/float64(size)/float64(b.N), "cpu-s/GiB")
	}
}

func store(ctx context.Context, s *Store, key string, size int, p []byte) error {
	u, err := s.Create(ctx, key, backends.CreateOptions{})
	if err != nil {
		return err
	}
	defer u.Abort()
	for left := size; left > 0; {
		n, err := u.Write(p[:min(left, len(p))])
		if left -= n; err != nil {
			return err
		}
	}
	_, err = u.Commit()
	return err
}

func fetch(ctx context.Context, s *Store, key string, size int64, p []byte) error {
	r, err := s.Open(ctx, key, backends.OpenOptions{})
	if err != nil {
		return err
	}
	defer r.Close()
	return drain(r, size, p)
}

func drain(r io.Reader, size int64, p []byte) error {
	var got int64
	for {
		n, err := r.Read(p)
		got += int64(n)
		switch {
		case err == nil:
		case err == io.EOF && got == size:
			return nil
		default:
			return fmt.Errorf("read %d octets of %d: %w", got, size, err)
		}
	}
}

func directParts(ctx context.Context, c *s3.Client, key string, size int, p []byte, sum *string) error {
	bucket := aws.String("bucket")
	up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
	if err != nil {
		return err
	}
	width := make(chan struct{}, 4)
	parts := make([]types.CompletedPart, size/len(p))
	var all sync.WaitGroup
	var failed atomic.Value
	for i := range parts {
		width <- struct{}{}
		all.Go(func() {
			defer func() { <-width }()
			n := aws.Int32(int32(i + 1))
			out, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: &key, UploadId: up.UploadId, PartNumber: n,
				Body: bytes.NewReader(p), ContentLength: aws.Int64(int64(len(p))), ChecksumCRC32C: sum})
			if err != nil {
				failed.Store(err)
				return
			}
			parts[i] = types.CompletedPart{PartNumber: n, ETag: out.ETag, ChecksumCRC32C: sum}
		})
	}
	all.Wait()
	if err, ok := failed.Load().(error); ok {
		return err
	}
	_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: &key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	return err
}

func sum(p []byte) *string {
	return content{crc: crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli))}.sum()
}

func BenchmarkPutLarge(b *testing.B) {
	endpoint := sink(b)
	p := bytes.Repeat([]byte("causeway"), partSize/8)
	b.Run("direct", func(b *testing.B) {
		c := sdk(endpoint)
		measure(b, bulk, lanes, func(ctx context.Context, n int) error {
			return directParts(ctx, c, fmt.Sprint("big-", n), bulk, p, sum(p))
		})
	})
	b.Run("store", func(b *testing.B) {
		s := benchStore(b, endpoint)
		measure(b, bulk, lanes, func(ctx context.Context, n int) error {
			return store(ctx, s, fmt.Sprint("big-", n), bulk, p[:64<<10])
		})
	})
}

func BenchmarkGetLarge(b *testing.B) {
	endpoint := sink(b)
	key := fmt.Sprint("size-", bulk)
	b.Run("direct", func(b *testing.B) {
		c := sdk(endpoint)
		measure(b, bulk, lanes, func(ctx context.Context, _ int) error {
			out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &key})
			if err != nil {
				return err
			}
			defer out.Body.Close()
			return drain(out.Body, bulk, make([]byte, 64<<10))
		})
	})
	b.Run("store", func(b *testing.B) {
		s := benchStore(b, endpoint)
		measure(b, bulk, lanes, func(ctx context.Context, _ int) error {
			return fetch(ctx, s, key, bulk, make([]byte, 64<<10))
		})
	})
}

func BenchmarkPutSmall(b *testing.B) {
	endpoint := sink(b)
	p := []byte(strings.Repeat("x", small))
	b.Run("direct", func(b *testing.B) {
		c := sdk(endpoint)
		measure(b, small, crowd, func(ctx context.Context, n int) error {
			_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(fmt.Sprint("small-", n)),
				Body: bytes.NewReader(p), ContentLength: aws.Int64(small), ChecksumCRC32C: sum(p)})
			return err
		})
	})
	b.Run("store", func(b *testing.B) {
		s := benchStore(b, endpoint)
		measure(b, small, crowd, func(ctx context.Context, n int) error {
			return store(ctx, s, fmt.Sprint("small-", n), small, p)
		})
	})
}

func BenchmarkGetSmall(b *testing.B) {
	endpoint := sink(b)
	key := fmt.Sprint("size-", small)
	b.Run("direct", func(b *testing.B) {
		c := sdk(endpoint)
		measure(b, small, crowd, func(ctx context.Context, _ int) error {
			out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &key})
			if err != nil {
				return err
			}
			defer out.Body.Close()
			return drain(out.Body, small, make([]byte, 8<<10))
		})
	})
	b.Run("store", func(b *testing.B) {
		s := benchStore(b, endpoint)
		measure(b, small, crowd, func(ctx context.Context, _ int) error {
			return fetch(ctx, s, key, small, make([]byte, 8<<10))
		})
	})
}
