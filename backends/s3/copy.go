package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"causeway/backends"
)

const (
	// maxCopy is the most octets that CopyObject takes.
	maxCopy = 5 << 30
	// copyPart is the least that a part copy of a larger object takes at a time, and
	// copies how many run side by side.
	copyPart = 512 << 20
	copies   = 8
	// maxCopies is how many parts a copy has before they grow. The others are left to
	// what is appended.
	maxCopies = 5000
	// versionQuery begins the version in a copy's source. Some servers look for it after
	// decoding, and take it for one in a key too.
	versionQuery = "?versionId="
	// abortTime bounds the end of a copy that failed.
	abortTime = 30 * time.Second
)

// Copy is [backends.Copier.Copy]: a HEAD, then one CopyObject up to 5 GiB. Larger objects
// are copied in parts, and so are, on servers other than AWS, conditional copies, because
// those honour conditions on CompleteMultipartUpload alone. errors.ErrUnsupported for the few
// sources whose name compatible servers misread.
func (s *Store) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	if !backends.ValidKey(dst) {
		return backends.Object{}, invalid("copy", dst)
	}
	if !s.aws && strings.Contains(src, versionQuery) {
		return backends.Object{}, &backends.Error{Op: "copy", Key: dst, Kind: errors.ErrUnsupported}
	}
	from, err := s.head(ctx, "copy", src, o.SourceIfMatch)
	if err != nil {
		return backends.Object{}, s.reason(ctx, src, o.SourceIfMatch, err)
	}
	c := &copying{writing: s.write(dst, backends.CreateOptions{
		IfMatch: o.IfMatch, IfAbsent: o.IfAbsent, ContentType: aws.ToString(from.ContentType), Metadata: o.Metadata,
	}), src: src, from: headed(src, from), replace: o.Metadata != nil}
	c.keep = from
	if !c.replace {
		c.o.Metadata = c.from.Metadata
	}
	if dst == src {
		if done, err := c.ontoItself(); done || err != nil {
			return c.from, err
		}
	}
	conditional := c.o.IfAbsent || c.o.IfMatch != ""
	switch {
	case c.from.Size <= maxCopy && (s.aws || !conditional):
		return c.whole(ctx)
	case c.from.Size == 0:
		return c.empty(ctx)
	}
	return c.inParts(ctx)
}

// reason is err of a HEAD, or what a GET fails of instead: only its answer can tell that the
// credentials have expired, or that the bucket is gone, from what is for good.
func (s *Store) reason(ctx context.Context, key, ifMatch string, err error) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	r, cause := s.Open(ctx, key, backends.OpenOptions{Length: 1, IfMatch: ifMatch})
	if cause == nil {
		_ = r.Close() // it was not read
	}
	if errors.Is(cause, backends.ErrUnavailable) {
		return cause
	}
	return err
}

// copying is an object being written with another's content.
type copying struct {
	*writing
	src     string
	from    backends.Object // the version of src that is copied
	replace bool            // metadata
}

// ontoItself settles the conditions of a copy onto its own source, which is pinned: they
// can only speak of that. It reports true if nothing is left to do.
func (c *copying) ontoItself() (bool, error) {
	switch {
	case c.o.IfAbsent:
		return false, &backends.Error{Op: "copy", Key: c.key, Kind: fs.ErrExist}
	case c.o.IfMatch != "" && c.o.IfMatch != c.from.ETag:
		return false, &backends.Error{Op: "copy", Key: c.key, Kind: backends.ErrChanged}
	}
	c.o.IfMatch = ""
	return !c.replace, nil
}

// whole copies by one CopyObject.
func (c *copying) whole(ctx context.Context) (backends.Object, error) {
	limit := slow(c.from.Size)
	ctx, cancel := bounded(ctx, limit)
	defer cancel()
	k := c.keep
	in := &s3.CopyObjectInput{
		Bucket: &c.bucket, Key: &c.key, CopySource: c.source(), CopySourceIfMatch: quoted(c.from.ETag),
		IfMatch: quoted(c.o.IfMatch), IfNoneMatch: c.absent(),
		// The copy carries a mark of its own, and replacing metadata replaces all headers.
		MetadataDirective: types.MetadataDirectiveReplace, Metadata: sent(c.o.Metadata, c.chain.Mark),
		ContentType: k.ContentType, CacheControl: k.CacheControl, ContentDisposition: k.ContentDisposition,
		ContentEncoding: k.ContentEncoding, ContentLanguage: k.ContentLanguage, Expires: expires(k),
		WebsiteRedirectLocation: k.WebsiteRedirectLocation, StorageClass: k.StorageClass,
	}
	out, err := c.client.CopyObject(ctx, in, c.within(limit))
	if err == nil && out.CopyObjectResult == nil {
		err = errors.New("answer to CopyObject says nothing")
	}
	if err != nil {
		return c.doubt(ctx, c.failed(ctx, err), func(*s3.HeadObjectOutput) bool { return true })
	}
	obj := c.written(c.from.Size, out.CopyObjectResult.ETag)
	obj.ModTime = utc(out.CopyObjectResult.LastModified)
	return obj, nil
}

// empty writes an empty object, of which no part can be copied.
func (c *copying) empty(ctx context.Context) (backends.Object, error) {
	return c.put(ctx, content{open: func() io.ReadSeeker { return strings.NewReader("") }})
}

// inParts copies by UploadPartCopy, several at a time.
func (c *copying) inParts(ctx context.Context) (backends.Object, error) {
	c.chain.Copy = true
	err := c.start(ctx)
	n := pieces(c.from.Size)
	if err == nil {
		err = c.copyParts(ctx, n, c.from.Size)
	}
	var obj backends.Object
	if err == nil {
		obj, err = c.complete(ctx, n)
	}
	if err == nil {
		return obj, nil
	}
	ctx, cancel := bounded(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	if left := c.abort(ctx); left != nil {
		// Only the text: its kind must not be taken for that of the copy.
		err = fmt.Errorf("%w (and then: %v)", err, left) //nolint:errorlint // see above
	}
	return backends.Object{}, err
}

// pieces is the number of parts in which so many octets are copied.
func pieces(size int64) int {
	each := min(max(copyPart, size/maxCopies), maxPartSize)
	return int((size + each - 1) / each)
}

// copyParts copies the first size octets of the source in n parts of about one size, so
// that none is too small to have others after it.
func (c *copying) copyParts(ctx context.Context, n int, size int64) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copies)
	for i := range int64(n) {
		group.Go(func() error {
			return c.copyPart(ctx, int(i)+1, size*i/int64(n), size*(i+1)/int64(n)-1)
		})
	}
	return group.Wait()
}

// copyPart copies the octets first to last of the source.
func (c *copying) copyPart(ctx context.Context, n int, first, last int64) error {
	limit := slow(last - first + 1)
	ctx, cancel := bounded(ctx, limit)
	defer cancel()
	in := &s3.UploadPartCopyInput{
		Bucket: &c.bucket, Key: &c.key, UploadId: c.upload, PartNumber: aws.Int32(int32(n)),
		CopySource: c.source(), CopySourceIfMatch: quoted(c.from.ETag),
		CopySourceRange: aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
	}
	c.sending(n)
	out, err := c.client.UploadPartCopy(ctx, in, c.within(limit))
	if err == nil && out.CopyPartResult == nil {
		err = errors.New("answer to UploadPartCopy says nothing")
	}
	if err != nil {
		return c.partFailed(ctx, failed(ctx, call{op: "copy", key: c.key, ifMatch: true}, err))
	}
	c.stored(n, part{number: n, etag: aws.ToString(out.CopyPartResult.ETag), size: last - first + 1})
	return nil
}

// partFailed is err of a part copy. Servers may find that the source has no such range
// before they see that it is another by now.
func (c *copying) partFailed(ctx context.Context, err error) error {
	if !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, backends.ErrRange) {
		return err
	}
	_, herr := c.head(ctx, "copy", c.src, c.from.ETag)
	switch {
	case errors.Is(herr, fs.ErrNotExist):
		return &backends.Error{Op: "copy", Key: c.key, Kind: backends.ErrChanged, Err: cause(err)}
	case herr != nil:
		return herr
	}
	return err
}

// failed is err of a CopyObject. 404 is about the source, which was there a moment ago. 412
// does not say whose condition did not hold: if nothing is in the way, it was the source's.
func (c *copying) failed(ctx context.Context, err error) error {
	f := call{op: "copy", key: c.key, ifMatch: true, ifAbsent: c.o.IfAbsent}
	if f.ifAbsent && errors.Is(kind(call{}, err), backends.ErrChanged) {
		_, there := c.head(ctx, f.op, f.key, "")
		f.ifAbsent = !errors.Is(there, fs.ErrNotExist)
	}
	return failed(ctx, f, err)
}

// source is the x-amz-copy-source header, in which servers differ on all but letters,
// digits and "-_.~": everything else is escaped.
func (c *copying) source() *string {
	escaped := strings.ReplaceAll(url.QueryEscape(c.src), "+", "%20")
	return aws.String(c.bucket + "/" + strings.ReplaceAll(escaped, "%2F", "/"))
}
