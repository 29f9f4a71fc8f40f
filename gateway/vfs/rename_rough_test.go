package vfs_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
)

// rough is a store whose listings give versions other ETags than a look does, as where the
// listings of an old server tell no seconds.
type rough struct{ *hooked }

const fromListing = "listed:"

func (r rough) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	page, err := r.hooked.List(ctx, q)
	page.Objects = slices.Clone(page.Objects)
	for i := range page.Objects {
		page.Objects[i].ETag, page.Objects[i].Partial = fromListing+page.Objects[i].ETag, true
	}
	return page, err
}

func (r rough) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.IfMatch = strings.TrimPrefix(o.IfMatch, fromListing)
	return r.hooked.Open(ctx, key, o)
}

func (r rough) Copy(ctx context.Context, dst, src string, o backends.CopyOptions) (backends.Object, error) {
	o.SourceIfMatch = strings.TrimPrefix(o.SourceIfMatch, fromListing)
	return r.hooked.Copy(ctx, dst, src, o)
}

func (r rough) Delete(ctx context.Context, key string, o backends.DeleteOptions) error {
	o.IfMatch = strings.TrimPrefix(o.IfMatch, fromListing)
	return r.hooked.Delete(ctx, key, o)
}

// TestS31_ETagsOfListings do not keep a rename from being gone on with: a copy that is there is
// compared with the version that was listed.
func TestS31_ETagsOfListings(t *testing.T) {
	for _, c := range []struct{ source, target, want string }{
		{"", "data of p/d/a", "ok"},
		{"", "data of p/d/A", "exists"},
		{"", "data of p/d", "exists"},
		{"data of p/d/A", "data of p/d/a", "changed"},
		{"longer data of p/d/a", "data of p/d/a", "changed"},
	} {
		t.Run(c.source+" to "+c.target, func(t *testing.T) {
			b := newBucket(mem.Options{}, tree...)
			struck := false
			v := onBucket(t, rough{hook(b, func(verb, key string) {
				if verb != "copy" || key != "p/d/a" || struck {
					return
				}
				struck = true
				b.fill("p/n/a", c.target)
				if c.source != "" {
					b.fill("p/d/a", c.source)
				}
			})}, all)
			v.want(v.rename("/d", "/n"), c.want)
			b.wantContent(t, "p/n/a", c.target)
		})
	}
}
