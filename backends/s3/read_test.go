package s3

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"causeway/backends"
)

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
