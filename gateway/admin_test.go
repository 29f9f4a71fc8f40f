package gateway

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/configs"
)

// watched turns the admin listener on.
func watched(cfg *configs.Config) { cfg.Admin.Address = "127.0.0.1:0" }

// ask makes a request to the admin listener and returns status and body.
func (r *running) ask(t *testing.T, method, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.admin.ln.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestO3_AdminIsOffAndReadOnly: there is no listener unless it is asked for, and that one
// changes nothing.
func TestO3_AdminIsOffAndReadOnly(t *testing.T) {
	t.Parallel()
	if r := start(t, nil); r.admin != nil {
		t.Error("it is on by itself")
	}
	r := start(t, watched)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/healthz", 200}, {"HEAD", "/metrics", 200}, {"GET", "/readyz", 200},
		{"POST", "/metrics", 405}, {"DELETE", "/healthz", 405}, {"PUT", "/readyz", 405},
		{"GET", "/", 404}, {"GET", "/debug/pprof/", 404}, {"GET", "/metrics/x", 404},
	} {
		if got, _ := r.ask(t, c.method, c.path); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

// deaf is a store that does not answer, and does not hear that its time is over, while
// it is stuck.
type deaf struct {
	backends.Backend
	stuck chan struct{}
	asked atomic.Int32
}

func (s *deaf) Stat(context.Context, string, backends.StatOptions) (backends.Object, error) {
	s.asked.Add(1)
	<-s.stuck
	return backends.Object{}, &backends.Error{Op: "stat", Key: "bucket s3://hidden", Kind: backends.ErrUnavailable}
}

// TestReadyAsksEachStoreNowAndThen: an answer counts for a while, a store that hangs has
// one request at most, and others wait for none of it.
func TestReadyAsksEachStoreNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &deaf{stuck: make(chan struct{})}
		r := &readiness{stores: map[string]backends.Backend{"good": mem.New(mem.Options{}), "bad": store}, log: slog.New(slog.DiscardHandler)}
		asks := func(want time.Duration) {
			t.Helper()
			since := time.Now()
			if got := r.silent(); len(got) != 1 || got[0] != "bad" {
				t.Errorf("got %v", got)
			}
			if took := time.Since(since); took != want {
				t.Errorf("took %v, want %v", took, want)
			}
		}
		asks(readyTimeout)
		asks(0) // known
		time.Sleep(readyFor)
		asks(readyTimeout)
		if n := store.asked.Load(); n != 1 {
			t.Errorf("%d requests hang", n)
		}
		close(store.stuck)
		synctest.Wait()
		time.Sleep(readyFor)
		asks(0) // it says itself that it is unavailable
		if n := store.asked.Load(); n != 2 {
			t.Errorf("%d requests", n)
		}
	})
}

// mute is a store that may not tell what it has.
type mute struct{ backends.Backend }

func (mute) Stat(context.Context, string, backends.StatOptions) (backends.Object, error) {
	return backends.Object{}, &backends.Error{Op: "stat", Kind: fs.ErrPermission}
}

// TestReadyNamesTheStoreAlone: what a store has said of its failure is for the log.
func TestReadyNamesTheStoreAlone(t *testing.T) {
	t.Parallel()
	r := prepare(t, watched)
	stuck := make(chan struct{})
	close(stuck)
	r.readiness.stores = map[string]backends.Backend{"lake": &deaf{stuck: stuck}, "drop": mute{}}
	r.run(t)
	status, body := r.ask(t, "GET", "/readyz")
	if status != http.StatusServiceUnavailable || body != "stores that do not answer: lake\n" {
		t.Errorf("%d %q", status, body)
	}
	if !strings.Contains(r.log.String(), "s3://hidden") {
		t.Error("the log does not say why")
	}
	if status, _ := r.ask(t, "GET", "/healthz"); status != http.StatusOK {
		t.Errorf("not healthy: %d", status)
	}
}

// TestReadyWithoutWhatIsBehind: an old server that is down keeps nobody from what is here.
func TestReadyWithoutWhatIsBehind(t *testing.T) {
	t.Parallel()
	r := prepare(t, func(cfg *configs.Config) {
		watched(cfg)
		cfg.Stores["old"] = configs.Store{Kind: configs.LocalDir, Path: t.TempDir()}
		cfg.Users[0].Mounts[0].Behind = configs.Behind{Store: "old", Path: "/"}
	})
	stuck := make(chan struct{})
	close(stuck)
	r.readiness.stores = map[string]backends.Backend{"disk": mute{}, "old": &deaf{stuck: stuck}}
	r.run(t)
	status, body := r.ask(t, "GET", "/readyz")
	if status != http.StatusOK || body != "ready; stores behind others that do not answer: old\n" {
		t.Errorf("%d %q", status, body)
	}
	next := *r.cfg
	next.Anonymous.Mounts = []configs.AnonymousMount{{Path: "/old", Store: "old"}}
	if err := r.Reload(t.Context(), &next); err != nil {
		t.Fatal(err)
	}
	if status, body := r.ask(t, "GET", "/readyz"); status != http.StatusServiceUnavailable || body != "stores that do not answer: old\n" {
		t.Errorf("mounted too: %d %q", status, body)
	}
}

// TestS50_NotReadyWhileDraining, while what runs is still served.
func TestS50_NotReadyWhileDraining(t *testing.T) {
	t.Parallel()
	r := start(t, watched)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	conn := c.data("STOR late.bin")
	r.stop()
	awaitRefusal(t, r.explicit)
	if status, body := r.ask(t, "GET", "/readyz"); status != http.StatusServiceUnavailable || body != "draining\n" {
		t.Errorf("%d %q", status, body)
	}
	if status, _ := r.ask(t, "GET", "/healthz"); status != http.StatusOK {
		t.Errorf("not healthy: %d", status)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	c.expect(226)
	if err := <-r.result; err != nil {
		t.Errorf("Run: %v", err)
	}
	close(r.result)
	awaitRefusal(t, r.admin.ln.Addr().String())
}

func TestListenNamesTheAdminAddress(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := prepare(t, func(cfg *configs.Config) { cfg.Admin.Address = ln.Addr().String() })
	err = r.Run(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "admin: ") || len(r.bound) != 0 {
		t.Errorf("got %v", err)
	}
}
