package backends_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
)

func TestTransferRefusesAShortObject(t *testing.T) {
	b := mem.New(mem.Options{})
	short := &backends.Reader{
		Object:     backends.Object{Key: "src", Size: 10},
		ReadCloser: io.NopCloser(strings.NewReader("too short")),
	}
	if _, err := backends.Transfer(t.Context(), b, "dst", short, backends.CreateOptions{}); !errors.Is(err, backends.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if exists, err := backends.HasPrefix(t.Context(), b, "dst"); exists || err != nil {
		t.Errorf("the object is there: %v, %v", exists, err)
	}
	if left := b.Uploads(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestHasPrefixLooksBeyondEmptyPages(t *testing.T) {
	b := pager{pages: map[string]backends.Page{"": {Next: "1"}, "1": {Next: "2"}, "2": {Objects: objects("a")}}}
	if exists, err := backends.HasPrefix(t.Context(), b, ""); !exists || err != nil {
		t.Errorf("got %v, %v", exists, err)
	}
}

// peeker knows that there is nothing.
type peeker struct{ pager }

func (peeker) PeekPrefix(string) (exists, known bool) { return false, true }

func TestHasPrefixAsksMemoryFirst(t *testing.T) {
	b := peeker{pager{pages: map[string]backends.Page{"": {Objects: objects("a")}}}}
	if exists, err := backends.HasPrefix(t.Context(), b, ""); exists || err != nil {
		t.Errorf("got %v, %v", exists, err)
	}
}

// summer computes one checksum.
type summer struct{ pager }

func (summer) Sum(context.Context, string, []backends.Sum) (backends.Sum, []byte, error) {
	return backends.CRC32, []byte{1, 2, 3, 4}, nil
}

func TestSumOfAsksStoresThatCompute(t *testing.T) {
	want := []backends.Sum{backends.SHA256, backends.CRC32}
	if algorithm, sum, err := backends.SumOf(t.Context(), summer{}, "k", want); algorithm != backends.CRC32 || len(sum) != 4 || err != nil {
		t.Errorf("%s %x, %v", algorithm, sum, err)
	}
	if _, _, err := backends.SumOf(t.Context(), pager{}, "k", want); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a store that computes none: %v", err)
	}
}

// contentNamed is a store whose ETags are those of the content, as S3's often are.
type contentNamed struct{ backends.Backend }

func (c contentNamed) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	return c.Backend.Delete(ctx, key, backends.DeleteOptions{})
}

func TestMoveOntoItselfKeepsTheObject(t *testing.T) {
	s := mem.New(mem.Options{})
	b := contentNamed{s}
	put(t, b, "k")
	if _, _, err := backends.Move(t.Context(), b, "k", "k", backends.CopyOptions{}); err != nil {
		t.Error(err)
	}
	meta := map[string]string{backends.MetaModTime: "5"}
	if _, _, err := backends.Move(t.Context(), b, "k", "k", backends.CopyOptions{Metadata: meta}); err != nil {
		t.Error(err)
	}
	if obj, err := b.Stat(t.Context(), "k", backends.StatOptions{}); err != nil || obj.Time().Unix() != 5 {
		t.Errorf("%+v, %v", obj, err)
	}
}
