//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"causeway/e2e/faults"
)

// TestS13_OutageMidwayIsResumed: a store that goes away in the middle of an upload, for
// longer than it is waited for, keeps what it has; when it is back the client goes on from
// there. By then nothing could be written down about it.
func TestS13_OutageMidwayIsResumed(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"s3", "gcs", "azure"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b, proxy := behindProxy(t, kind)
			c := &faultCell{kind: kind, bucket: b, proxy: proxy}
			g := start(t, setup{plain4: true, accounts: []account{{name: kind, store: b}}, extra: "cache: {ttl: 0s}\n"})
			c.awaitJanitor(t)
			c.session = connect(t, g.address(false, false))
			_ = c.conn.SetDeadline(time.Now().Add(cellTime))
			c.login(kind)
			c.outage(t)
		})
	}
}

// outage loses the store after the first part of an upload.
func (c *faultCell) outage(t *testing.T) {
	t.Helper()
	part := partSizes[c.kind]
	old, whole := content(1000), content(2*part+1<<20)
	c.put(t, "f.bin", old)
	conn := c.passive()
	_ = conn.SetDeadline(time.Now().Add(cellTime))
	c.do("STOR f.bin", "150")
	c.write(conn, whole[:part+1])
	c.awaitSent(t, int64(part))
	gone := c.proxy.Inject(faults.Rule{Count: faults.Always, Fault: faults.Instead(
		says(http.StatusServiceUnavailable, "SlowDown", "backendError", "ServerBusy")(c.kind))})
	_, _ = conn.Write(whole[part+1:]) // what came of it the reply tells
	_ = conn.CloseWrite()
	c.want("451")
	c.bucket.holds(t, "f.bin", old)
	gone.Remove()
	size := fmt.Sprintf("213 %d", part)
	if said := c.do("SIZE f.bin", "213"); said.lines[0] != size {
		c.fatalf("the first part of %d octets is there", part)
	}
	if how := c.goOn("f.bin", upload{old: len(old)}, whole); how != "resumed" {
		t.Errorf("the upload was %s", how)
	}
	c.bucket.holds(t, "f.bin", whole)
	c.recover(t, "new")
}

// awaitSent waits until the store has taken so many octets, and answered.
func (c *faultCell) awaitSent(t *testing.T, octets int64) {
	t.Helper()
	var sent int64
	err := poll(t.Context(), patience, func() error {
		if sent += c.proxy.Take().Sum().Sent; sent < octets {
			return fmt.Errorf("%d of %d octets are in the store", sent, octets)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
