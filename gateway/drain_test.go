package gateway

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/configs"
)

// hasty gives running transfers no time to finish.
func hasty(cfg *configs.Config) { cfg.Limits.DrainTimeout = 0 }

// serveOn is start with a store in place of the directory.
func serveOn(t *testing.T, store backends.Backend) *running {
	t.Helper()
	r := prepare(t, hasty)
	r.stores["disk"] = store
	return r
}

// awaitStored waits until so many octets of an upload are in the store, as another process
// sees it.
func awaitStored(t *testing.T, store *mem.Store, key string, size int64) {
	t.Helper()
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); runtime.Gosched() {
		for p, err := range backends.ParkedUploads(t.Context(), store, backends.ParkedQuery{Prefix: key, Fresh: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if p.Size == size {
				return
			}
		}
	}
	t.Fatalf("%d octets of %s never came", size, key)
}

// TestS50_TransfersPastTheDrainAreParked: what cannot finish in time is not lost: another
// gateway on the same bucket goes on with it.
func TestS50_TransfersPastTheDrainAreParked(t *testing.T) {
	t.Parallel()
	store := mem.New(mem.Options{})
	other := store.Reopen()
	r := serveOn(t, store)
	r.run(t)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	conn := c.data("STOR late.bin")
	defer conn.Close()
	if _, err := io.WriteString(conn, "first half, "); err != nil {
		t.Fatal(err)
	}
	awaitStored(t, other, "cams/late.bin", 12)
	r.stop()
	c.expect(421)
	if err := <-r.result; err != nil {
		t.Errorf("Run: %v", err)
	}
	close(r.result)
	if !strings.Contains(r.log.String(), `"done":"parked"`) {
		t.Error("the log does not say that it was parked")
	}

	next := serveOn(t, other)
	next.run(t)
	c = dial(t, next.explicit, nil)
	c.login("cam1", password)
	if size := c.do(213, "SIZE late.bin"); size != "12" {
		t.Errorf("SIZE %s", size)
	}
	c.do(350, "REST 12")
	conn = c.data("STOR late.bin")
	if _, err := io.WriteString(conn, "second half"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	c.expect(226)
	if got := c.download("RETR late.bin"); got != "first half, second half" {
		t.Errorf("RETR: %q", got)
	}
}

// clinging is a store whose parks take until they are released.
type clinging struct {
	*mem.Store
	release chan struct{}
}

func (s clinging) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := s.Store.Create(ctx, key, o)
	return clingingUpload{u, s.release}, err
}

type clingingUpload struct {
	backends.Upload
	release chan struct{}
}

func (u clingingUpload) Park() (int64, error) {
	<-u.release
	return u.Upload.Park()
}

// TestS50_StoreThatDoesNotAnswerHoldsNobodyUp: the end of the gateway is bounded, whatever
// a store does.
func TestS50_StoreThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	store := clinging{mem.New(mem.Options{}), make(chan struct{})}
	defer close(store.release)
	r := serveOn(t, store)
	r.parking = time.Millisecond
	r.run(t)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	conn := c.data("STOR late.bin")
	defer conn.Close()
	if _, err := io.WriteString(conn, "half"); err != nil {
		t.Fatal(err)
	}
	awaitStored(t, store.Reopen(), "cams/late.bin", 4)
	r.stop()
	if err := <-r.result; err != nil {
		t.Errorf("Run: %v", err)
	}
	close(r.result)
	if !strings.Contains(r.log.String(), `"msg":"stopped while a store has not answered`) {
		t.Error("the log does not tell")
	}
}
