//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
)

// crash is what became of a command whose gateway was killed.
type crash struct {
	verb, moment string
	found        string // nothing, old or new; for renames where the objects are
	torn, lost   bool
	kept         int  // octets that were gone on with
	resumed      bool // and the file is whole
}

func (c crash) String() string {
	switch {
	case c.torn:
		return "TORN"
	case c.lost:
		return "LOST"
	case c.resumed:
		return fmt.Sprintf("%s, %d kept", c.found, c.kept)
	}
	return c.found
}

// crashTable gathers them by moment.
type crashTable struct {
	mu      sync.Mutex
	crashes []crash
	before  int // orphans
	after   int
}

func (c *crashTable) add(one crash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.crashes = append(c.crashes, one)
}

func (c *crashTable) print(w io.Writer, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(w, "\ngateway killed, on %s: what is found then, and what was gone on with\n", kind)
	slices.SortFunc(c.crashes, func(a, b crash) int { return strings.Compare(a.verb+a.moment, b.verb+b.moment) })
	torn, lost := 0, 0
	for _, one := range c.crashes {
		fmt.Fprintf(w, "  %-16s%-32s%s\n", one.verb, one.moment, one)
		if one.torn {
			torn++
		}
		if one.lost {
			lost++
		}
	}
	fmt.Fprintf(w, "  %d runs: half an object %d, objects lost %d; orphans %d, after the janitor %d\n", len(c.crashes), torn, lost, c.before, c.after)
}

// sweep has a janitor end what nobody came back for. Nothing but whole objects may be in
// the bucket then.
func (c *crashes) sweep(t *testing.T) {
	t.Helper()
	left, err := c.orphans(t)
	if err != nil {
		t.Fatal(err)
	}
	c.table.before = len(left)
	c.gateway(t, nil, "uploads: {resume_window: 1s}\n")
	err = poll(t.Context(), patience, func() error {
		if left, err = c.orphans(t); err == nil && len(left) > 0 {
			err = fmt.Errorf("%s still has %q", c.bucket.kind, left)
		}
		return err
	})
	c.table.after = len(left)
	if err != nil {
		t.Error(err)
	}
	keys, err := c.bucket.keys(t.Context(), "")
	slices.Sort(c.want)
	if keys = slices.DeleteFunc(keys, isReserved); err != nil || !slices.Equal(keys, c.want) {
		t.Errorf("%s has %q, %v\nwant %q", c.bucket.kind, keys, err, c.want)
	}
}

// orphans are those of the bucket, but for what costs nothing: uploads without parts that no
// record tells of, and records of uploads that have ended. These go in time, since their
// writers may be about to remove them.
func (c *crashes) orphans(t *testing.T) ([]string, error) {
	t.Helper()
	left, err := c.bucket.orphans(t.Context())
	return slices.DeleteFunc(left, func(key string) bool {
		if strings.HasPrefix(key, reserved) {
			return c.bucket.kind != "localdir" && c.isBareRecord(t, key)
		}
		return slices.Contains(c.empty, key) && c.hasNoParts(t, key)
	}), err
}

// isBareRecord tells whether a key is that of a record of a dead writer without octets of
// the upload in it.
func (c *crashes) isBareRecord(t *testing.T, key string) bool {
	t.Helper()
	content, err := c.bucket.read(t.Context(), key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.HasPrefix(key, reserved+"uploads/") && strings.HasSuffix(key, "~open") && bytes.IndexByte(content, '\n') == len(content)-1
}
