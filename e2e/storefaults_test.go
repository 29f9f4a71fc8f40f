//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/e2e/faults"
)

// Bounds of the cells: how many run at a time, of those that do more than wait; and how long
// one may take at all, which is past every time-out of the gateway's own.
const (
	busyCells = 8
	cellTime  = 4 * time.Minute
)

// faultCell is one command that meets one fault, in a bucket of its own behind a proxy of
// its own.
type faultCell struct {
	*session
	kind   string // of the store
	fault  storeFault
	verb   faultVerb
	bucket *namedBucket
	proxy  *faults.HTTPProxy
	got    []byte // what a reading command has fetched
}

func (c *faultCell) name() string { return c.kind + "-" + c.verb.name + "-" + c.fault.name }

// TestS10_S13_S21_StoreFaults is every command against every fault of its store: what the
// client hears, what the bucket holds, how often the store was asked, and that the same
// session works once the fault is gone and an upload goes on where it had got to.
func TestS10_S13_S21_StoreFaults(t *testing.T) {
	t.Parallel()
	verbs := map[string][]faultVerb{"s3": faultVerbs("s3"), "gcs": faultVerbs("gcs"), "azure": faultVerbs("azure")}
	cells := newFaultCells(t, verbs)
	var accounts []account
	for _, c := range cells {
		accounts = append(accounts, account{name: c.name(), store: c.bucket})
	}
	g := start(t, setup{plain4: true, accounts: accounts, extra: "cache: {ttl: 0s}\n"})
	table := faultTable{verbs: verbs}
	defer table.print(os.Stdout)
	busy := make(chan struct{}, busyCells)
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range cells {
		// Not t.Parallel: cells that wait for a time-out shall not take the places of others.
		all.Go(func() {
			t.Run(strings.ReplaceAll(c.name(), "-", "/"), func(t *testing.T) {
				if !c.fault.waits {
					busy <- struct{}{}
					defer func() { <-busy }()
				}
				c.run(t, g, &table)
			})
		})
	}
}

// newFaultCells makes the cells, with their buckets and proxies.
func newFaultCells(t *testing.T, verbs map[string][]faultVerb) []*faultCell {
	t.Helper()
	only := os.Getenv("CAUSEWAY_FAULT") // part of a cell's name
	var cells []*faultCell
	for _, kind := range []string{"s3", "gcs", "azure"} {
		for _, fault := range storeFaults() {
			for _, verb := range verbs[kind] {
				c := &faultCell{kind: kind, fault: fault, verb: verb}
				if !fault.meets(c) || !strings.Contains(c.name(), only) {
					continue
				}
				c.bucket, c.proxy = behindProxy(t, kind)
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// behindProxy is a fresh bucket, which the gateway reaches through a proxy.
func behindProxy(t *testing.T, kind string) (*namedBucket, *faults.HTTPProxy) {
	t.Helper()
	create, target, operation := newS3Bucket, shared.servers.S3, faults.S3Operation
	switch kind {
	case "gcs":
		create, target, operation = newGCSBucket, shared.servers.GCS, faults.GCSOperation
	case "azure":
		create, target, operation = newAzureBucket, shared.servers.Azure, faults.AzureOperation
	}
	b, err := create(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.Join(strings.Split(target, "/")[:3], "/") // without Azure's account
	proxy, err := faults.NewHTTPProxy(base, operation)
	if err != nil {
		t.Fatal(err)
	}
	if kind == "gcs" { // fake-gcs-server serves contents by host
		proxy.Rehost()
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	b.config = strings.ReplaceAll(b.config, base, proxy.URL())
	return b, proxy
}

// run is the cell.
func (c *faultCell) run(t *testing.T, g *gateway, table *faultTable) {
	row := faultRow{cell: c}
	defer func() {
		row.failed = t.Failed()
		table.add(row)
	}()
	c.awaitJanitor(t)
	c.verb.begin(t, c)
	c.session = connect(t, g.address(false, false))
	c.login(c.name())
	_ = c.conn.SetDeadline(time.Now().Add(cellTime))
	c.verb.before(c)
	c.proxy.Take()
	var struck []*faults.Injection
	for _, rule := range c.fault.rules(c) {
		struck = append(struck, c.proxy.Inject(rule))
	}
	row.reply = c.verb.do(c)
	row.requests = c.proxy.Take()
	for i, injection := range struck {
		if injection.Remove(); injection.Hits() == 0 {
			t.Errorf("rule %d of the fault has struck nothing", i)
		}
	}
	row.bucket = c.judge(t, row.reply)
	if n := row.requests.Sum().Requests; n > c.fault.most(c) {
		t.Errorf("%d requests, at most %d allowed: %s", n, c.fault.most(c), row.requests)
	}
	row.after = c.recover(t, row.bucket)
}

// awaitJanitor waits for the listings that the gateway makes soon after its start (of uploads
// and renames, on GCS of stray parts too), so that the fault meets the command.
func (c *faultCell) awaitJanitor(t *testing.T) {
	t.Helper()
	seen, all := 0, 2
	if c.kind == "gcs" {
		all = 3
	}
	err := poll(t.Context(), patience, func() error {
		if seen += c.proxy.Take().Sum().Requests; seen < all {
			return fmt.Errorf("the janitor has made %d requests", seen)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// judge compares the reply and the bucket with what the fault's outcome allows, and tells
// what the bucket holds.
func (c *faultCell) judge(t *testing.T, reply string) string {
	t.Helper()
	want := c.fault.want(c)
	if !slices.Contains(want.replies, reply) {
		t.Errorf("the client hears %s, want one of %v\n%s", reply, want.replies, c.said.String())
	}
	old, fresh := c.verb.old(t.Context(), c), c.verb.new(t.Context(), c)
	state := "neither"
	switch {
	case fresh == nil:
		state = "new"
	case old == nil:
		state = "old"
	}
	switch {
	case state == "neither":
		t.Errorf("the bucket holds neither old (%v) nor new (%v)", old, fresh)
	case reply == c.verb.done && state != "new" && !slices.Contains(want.holds, "empty"):
		t.Errorf("done, the client hears, and it is not: %v", fresh)
	case slices.Contains(want.holds, "empty") && len(c.got) > 0:
		t.Errorf("%d octets came from a store that forbids it", len(c.got))
	case !slices.Contains(want.holds, state):
		t.Errorf("the bucket holds %s, want %v", state, want.holds)
	}
	if reply == c.verb.done && c.verb.reads() {
		state = "same"
	}
	return state
}

// recover goes on in the same session once the fault is gone, and wants what the command was
// to do done in the end and nothing left behind.
func (c *faultCell) recover(t *testing.T, state string) string {
	t.Helper()
	c.do("NOOP", "200")
	how := "-"
	if state == "old" {
		how = c.verb.again(c)
		if err := c.verb.new(t.Context(), c); err != nil {
			t.Errorf("when the fault is gone: %v\n%s", err, c.said.String())
		}
	}
	if c.verb.file != "" {
		// A parked upload goes before its object, and an APPE that is repeated adds twice.
		c.do("SIZE "+c.verb.file, "213")
	}
	err := poll(t.Context(), patience, func() error {
		begun, err := c.bucket.begun(t.Context())
		if err == nil && len(begun) > 0 {
			err = fmt.Errorf("left in the bucket: %q", begun)
		}
		return err
	})
	if err != nil && c.kind != "azure" { // whose uncommitted blocks the service drops
		t.Error(err)
	}
	return how
}

// holdsAll is an error unless the bucket holds these objects and no others.
func (c *faultCell) holdsAll(ctx context.Context, want map[string][]byte) error {
	keys, err := c.bucket.keys(ctx, "")
	keys = slices.DeleteFunc(keys, func(key string) bool { return strings.HasPrefix(key, reserved) })
	if err != nil || len(keys) != len(want) {
		return errors.Join(err, fmt.Errorf("keys %q", keys))
	}
	for key, data := range want {
		got, err := c.bucket.read(ctx, key)
		if err == nil {
			err = same(got, data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}
