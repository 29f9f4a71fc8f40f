//go:build linux && !race

package multipart

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestIdleMemoryIsDiscarded: what went back to the system is zero when it is used again.
func TestIdleMemoryIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool()
		c := chunksOf(t, p, 1)[0]
		p.put(c)
		time.Sleep(2*idleTime + 1)
		synctest.Wait()
		if *c != (chunk{}) {
			t.Error("the system has not got the memory back")
		}
	})
}
