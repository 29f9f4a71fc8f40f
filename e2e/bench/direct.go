package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"causeway/e2e/bench/pattern"
)

// DirectJob is work that is done straight through the SDK.
type DirectJob struct {
	Op          string `json:"op"`     // "put", "get", "head" or "list"
	Prefix      string `json:"prefix"` // of the keys, see Key; of the listing
	Count       int    `json:"count"`  // of objects
	Size        int64  `json:"size"`   // of each, octets
	Concurrency int    `json:"concurrency"`
}

// Key is that of the i-th object of a job.
func (j DirectJob) Key(i int) string { return fmt.Sprintf("%s%06d", j.Prefix, i) }

// directOptions says where the store is.
type directOptions struct{ URL, Bucket, Key, Secret string }

// directAnswer is what a job came to.
type directAnswer struct {
	Err   string          `json:"err,omitempty"`
	First []time.Duration `json:"first,omitempty"`
	Count int             `json:"count,omitempty"`
}

// Direct does the job in a process with one SDK client, which is started at the first job
// for that store and stays warm.
func (e *Env) Direct(ctx context.Context, s *Store, job DirectJob) (Usage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.direct == nil {
		var ready struct{}
		p, err := e.role(ctx, "direct", directOptions{s.URL, s.Bucket, s.key, s.secret}, &ready)
		if err != nil {
			return Usage{}, err
		}
		s.direct = p
	}
	var answer directAnswer
	u, err := s.direct.Measure(func() error {
		err := s.direct.Ask(ctx, job, &answer)
		if err == nil && answer.Err != "" {
			err = errors.New(answer.Err)
		}
		return err
	})
	u.First, u.Count = answer.First, answer.Count
	return u, err
}

// beDirect is the part "direct": it does the jobs of its input, one after another.
func beDirect(ctx context.Context, options []byte) error {
	var o directOptions
	if err := json.Unmarshal(options, &o); err != nil {
		return err
	}
	d := newDirect(o)
	return serveJobs(struct{}{}, func(job DirectJob) (directAnswer, error) {
		var answer directAnswer
		if err := d.do(ctx, job, &answer); err != nil {
			answer.Err = err.Error()
		}
		return answer, nil
	})
}

// direct is the SDK's client and what it sends.
type direct struct {
	client  *s3.Client
	bucket  string
	part    []byte // partSize octets of the content; every part begins like the first
	buffers sync.Pool
}

// What the gateway's uploads are made of: parts of 8 MiB, four in flight.
const (
	partSize      = 8 << 20
	partsInFlight = 4
)

func newDirect(o directOptions) *direct {
	d := &direct{client: newClient(o), bucket: o.Bucket, part: make([]byte, partSize)}
	content := pattern.New()
	for at := 0; at < partSize; at += pattern.Block {
		copy(d.part[at:], content.At(0))
	}
	d.buffers.New = func() any { b := make([]byte, 256<<10); return &b }
	return d
}

// do works on the job's objects with as many goroutines as it says.
func (d *direct) do(ctx context.Context, j DirectJob, answer *directAnswer) error {
	if j.Op == "list" {
		return d.list(ctx, j.Prefix, answer)
	}
	first := make([]time.Duration, j.Count)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, j.Concurrency))
	for i := range j.Count {
		g.Go(func() error {
			switch j.Op {
			case "put":
				return d.put(ctx, j.Key(i), j.Size)
			case "get":
				return d.get(ctx, j.Key(i), j.Size, &first[i])
			case "head":
				_, err := d.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &d.bucket, Key: aws.String(j.Key(i))})
				return err
			}
			return fmt.Errorf("no such work: %q", j.Op)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if j.Op == "get" {
		answer.First = first
	}
	return nil
}

// get reads the object to its end.
func (d *direct) get(ctx context.Context, key string, size int64, first *time.Duration) error {
	buf := d.buffers.Get().(*[]byte)
	defer d.buffers.Put(buf)
	start := time.Now()
	out, err := d.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &d.bucket, Key: &key})
	if err != nil {
		return err
	}
	defer func() { _ = out.Body.Close() }() // read to its end
	var got int64
	for {
		n, err := out.Body.Read(*buf)
		if got == 0 {
			*first = time.Since(start)
		}
		got += int64(n)
		switch {
		case errors.Is(err, io.EOF) && got == size:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%s: %d octets instead of %d", key, got, size)
		case err != nil:
			return err
		}
	}
}

// put writes the object, in parts when it is larger than one.
func (d *direct) put(ctx context.Context, key string, size int64) error {
	if size > partSize {
		return d.putParts(ctx, key, size)
	}
	_, err := d.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &d.bucket, Key: &key, Body: bytes.NewReader(d.part[:size]), ContentLength: &size, ChecksumCRC32C: sum(d.part[:size]),
	})
	return err
}
