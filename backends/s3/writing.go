package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"causeway/backends"
	"causeway/backends/journal"
)

// endTime bounds the removal of the record of an upload that has become an object: who
// waits for that shall not wait for this.
const endTime = 5 * time.Second

// writing is one object being written, in parts or not, by an upload or by a copy.
type writing struct {
	*Store
	key  string
	as   string // the key of the object, another where that was taken
	o    backends.CreateOptions
	keep *s3.HeadObjectOutput // headers and storage class to take over, nil for those of a new object

	upload *string // its id at the server, nil before start
	mu     sync.Mutex
	parts  map[int]part // by their place in the object, from 1
	top    int          // the highest number that a part was sent with

	chain      chain             // of the record
	entry      *journal.Entry    // that others find the upload by; nil while there is none
	tail       *io.SectionReader // of a resumed upload that has no part yet
	unrecorded bool              // there can be none
	lost       bool              // the upload is another's, or not ours yet
	doubted    atomic.Bool       // it may have ended: the server says so, or was asked to complete it
}

func (s *Store) write(key string, o backends.CreateOptions) *writing {
	return &writing{Store: s, key: key, as: key, o: o, parts: make(map[int]part), chain: chain{Mark: rand.Text(), Next: 1}}
}

func (w *writing) call(op string) call {
	return call{op: op, key: w.as, ifMatch: w.o.IfMatch != "", ifAbsent: w.o.IfAbsent}
}

// absent is the If-None-Match header.
func (w *writing) absent() *string {
	if w.o.IfAbsent {
		return aws.String("*")
	}
	return nil
}

// contentType is nil where the service's own default will do.
func (w *writing) contentType() *string {
	if w.o.ContentType == "" {
		return nil
	}
	return &w.o.ContentType
}

// checksums is the algorithm for all parts or for none: servers refuse a mix.
func (w *writing) checksums() types.ChecksumAlgorithm {
	if w.chain.Summed {
		return types.ChecksumAlgorithmCrc32c
	}
	return ""
}

// written describes the object that was made.
func (w *writing) written(size int64, etag *string) backends.Object {
	return backends.Object{
		Key: w.as, Size: size, ETag: unquoted(etag),
		ContentType: w.o.ContentType, Metadata: w.o.Metadata,
	}
}

// start begins a multipart upload, and its record. It waits for the answers also when ctx
// ends: without the id in the first nobody can abort the upload. An answer that the network
// loses leaves an upload without parts, for which nothing is to pay and which the next try
// does not know of; the bucket's rule for incomplete uploads removes it.
func (w *writing) start(ctx context.Context) error {
	ctx, cancel := bounded(context.WithoutCancel(ctx), quick)
	defer cancel()
	in := &s3.CreateMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, ContentType: w.contentType(),
		Metadata: sent(w.o.Metadata, w.chain.Mark), ChecksumAlgorithm: w.checksums(),
	}
	if k := w.keep; k != nil {
		in.CacheControl, in.ContentDisposition = k.CacheControl, k.ContentDisposition
		in.ContentEncoding, in.ContentLanguage = k.ContentEncoding, k.ContentLanguage
		in.StorageClass, in.WebsiteRedirectLocation = k.StorageClass, k.WebsiteRedirectLocation
		in.Expires = expires(k)
	}
	out, err := w.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return failed(ctx, call{op: "create", key: w.key}, err)
	}
	w.upload = out.UploadId
	return w.noteDown(ctx)
}

// stored notes a part. Parts may come in any order.
func (w *writing) stored(n int, p part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[n] = p
}

// sending notes a part that may arrive.
func (w *writing) sending(number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.top = max(w.top, number)
}

// first are the first n parts.
func (w *writing) first(n int) []part {
	w.mu.Lock()
	defer w.mu.Unlock()
	parts := make([]part, 0, n)
	for i := 1; i <= n; i++ {
		parts = append(parts, w.parts[i])
	}
	return parts
}

// complete makes the first n parts the object.
func (w *writing) complete(ctx context.Context, n int) (backends.Object, error) {
	parts := w.first(n)
	size := octets(parts)
	w.doubted.Store(true)
	limit := slow(size)
	ctx, cancel := bounded(ctx, limit)
	defer cancel()
	out, err := w.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &w.bucket, Key: &w.key, UploadId: w.upload,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: completed(parts)},
		IfMatch:         quoted(w.o.IfMatch), IfNoneMatch: w.absent(),
	}, w.within(limit))
	if err == nil && out.ETag == nil {
		// The SDK takes an empty answer, which is a connection cut at the wrong moment,
		// for success.
		err = errors.New("answer to CompleteMultipartUpload says nothing")
	}
	if err != nil {
		return w.doubt(ctx, failed(ctx, w.call("commit"), err), func(found *s3.HeadObjectOutput) bool {
			return aws.ToInt64(found.ContentLength) == size && (unquoted(found.ETag) == joined(parts) || w.sole(ctx))
		})
	}
	w.forget(ctx)
	return w.written(size, out.ETag), nil
}

// doubt decides what has become of a write that seems to have failed with err. An answer
// may have been lost, and a repeated request then finds its own object in the way: the
// object under the key tells, by its mark, and where others may write with the same by
// what else is found.
func (w *writing) doubt(ctx context.Context, err error, mine func(*s3.HeadObjectOutput) bool) (backends.Object, error) {
	certain := !errors.Is(err, backends.ErrUnavailable) && !errors.Is(err, backends.ErrChanged) && !errors.Is(err, fs.ErrExist)
	if certain {
		return backends.Object{}, err
	}
	ctx, cancel := bounded(context.WithoutCancel(ctx), quick)
	defer cancel()
	out, herr := w.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &w.bucket, Key: &w.as})
	switch {
	case herr != nil:
		return backends.Object{}, err
	case out.Metadata[mark] != w.chain.Mark:
		return backends.Object{}, w.late(unquoted(out.ETag), err)
	case !mine(out):
		return backends.Object{}, err
	}
	w.forget(ctx)
	return headed(w.as, out), nil
}

// late is err of a write that found another's object, with an ETag, under the key: if its
// condition can hold no more, that is what became of it. Servers may refuse a large body by
// cutting the connection, before anybody can read why.
func (w *writing) late(etag string, err error) error {
	switch {
	case !errors.Is(err, backends.ErrUnavailable):
	case w.o.IfAbsent:
		return &backends.Error{Op: "commit", Key: w.as, Kind: fs.ErrExist, Err: cause(err)}
	case w.o.IfMatch != "" && w.o.IfMatch != etag:
		return &backends.Error{Op: "commit", Key: w.as, Kind: backends.ErrChanged, Err: cause(err)}
	}
	return err
}

// sweep ends an upload that was lost and is nobody's by now. It should be gone, but a part
// that was on its way when another ended it may have brought it back (versitygw).
func (w *writing) sweep(ctx context.Context) error {
	if w.entry == nil || w.upload == nil {
		return nil
	}
	if forsaken, err := w.entry.Forsaken(ctx); err != nil || !forsaken {
		return err
	}
	return w.endAll(ctx, w.key, *w.upload)
}

// abort ends the multipart upload, if it was begun and nobody has taken it, and then the
// record.
func (w *writing) abort(ctx context.Context) error {
	if w.lost {
		return w.sweep(ctx)
	}
	if w.entry != nil {
		defer w.entry.Leave() // an abort that has failed is the janitor's
	}
	err := w.owned(ctx)
	if w.lost = errors.Is(err, backends.ErrChanged); w.lost {
		return w.sweep(ctx)
	}
	if err == nil && w.upload != nil {
		err = w.end(ctx, w.key, *w.upload)
	}
	if err != nil || w.entry == nil {
		return err
	}
	// A second call is to end the parts that came late, and has no record to look at.
	entry := w.entry
	w.entry = nil
	return entry.End(ctx)
}
