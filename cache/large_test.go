package cache_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/cache"
)

// TestS51_LargeListingsAreNotKept: what is kept of a directory while it is being listed
// stays small, and nothing is once it has turned out to be large. When the TTL has passed
// it may be small again.
func TestS51_LargeListingsAreNotKept(t *testing.T) {
	const bytes = 1 << 20
	spy, now := newSpy(mem.Options{PageSize: 20}), time.Unix(1e9, 0)
	c := cache.New(cache.Options{TTL: 5 * time.Second, Bytes: bytes, Now: func() time.Time { return now }})
	b := c.Backend(spy)
	for i := range 1000 {
		put(t, t.Context(), spy.Store, fmt.Sprintf("huge/%03d", i), "x")
	}
	// listed reads the first pages of the directory, or all, and returns the most that was kept meanwhile.
	listed := func(pages int) (most int64) {
		q := backends.Query{Prefix: "huge/", Delimiter: true}
		for {
			page, err := b.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			_, used := c.Usage()
			if most = max(most, used); page.Next == "" || pages == 1 {
				return most
			}
			q.Token, pages = page.Next, pages-1
		}
	}
	small := func() bool { n, used := c.Usage(); return n <= 2 && used < 1000 }

	if most := listed(-1); most > bytes/16+2000 || !small() {
		t.Errorf("%d octets were in use while listing; nothing is left afterwards: %t", most, small())
	}
	if listed(1); !small() {
		t.Error("the first page was kept again, as if the rest could follow")
	}
	if exists, known := b.PeekPrefix("huge/"); !exists || !known {
		t.Error("that the directory exists is not known")
	}
	now = now.Add(6 * time.Second)
	for i := 20; i < 1000; i++ {
		if err := spy.Store.Delete(t.Context(), fmt.Sprintf("huge/%03d", i), backends.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	listed(-1)
	spy.taken()
	if statOf(t.Context(), b, "huge/007", backends.StatOptions{}) != "1" {
		t.Error("huge/007 is not there")
	}
	spy.want(t)
}

// renamed gives each page another token each time, as AWS does.
type renamed struct {
	*spy
	pages int
}

func (r *renamed) List(ctx context.Context, q backends.Query) (backends.Page, error) {
	q.Token, _, _ = strings.Cut(q.Token, "#")
	page, err := r.spy.List(ctx, q)
	if page.Next != "" {
		r.pages++
		page.Next += fmt.Sprint("#", r.pages)
	}
	return page, err
}

// TestPagesThatHaveExpiredMakeNoDirectoryLarge: one that is listed again and again is kept
// each time.
func TestPagesThatHaveExpiredMakeNoDirectoryLarge(t *testing.T) {
	spy, now := newSpy(mem.Options{PageSize: 20}), time.Unix(1e9, 0)
	c := cache.New(cache.Options{TTL: 5 * time.Second, Bytes: 1 << 20, Now: func() time.Time { return now }})
	b := c.Backend(&renamed{spy: spy})
	for i := range 40 {
		put(t, t.Context(), spy.Store, fmt.Sprintf("dir/%03d", i), "x")
	}
	for range 10 {
		now = now.Add(6 * time.Second)
		for range backends.Entries(t.Context(), b, "dir/") {
		}
		spy.taken()
		if statOf(t.Context(), b, "dir/007", backends.StatOptions{}) != "1" {
			t.Error("dir/007 is not there")
		}
		spy.want(t)
	}
}
