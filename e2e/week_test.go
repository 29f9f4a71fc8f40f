//go:build e2e && week

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/e2e/oldservers"
)

// weekSizes are those of a run.
type weekSizes struct {
	users, files int // files of each user on the old server
	operations   int // of all users together
	clients      int // at a time
}

// TestAWeek leaves an old server while its clients go on: a gateway before it shows what is
// there and takes what is new, passwords are learnt, `causeway migrate` moves the files, the
// old server ends and comes back, the gateway is killed twice. In the end the old server is
// off for good, and each client has all that is its own. `make week` runs it in full.
func TestAWeek(t *testing.T) {
	sizes := weekSizes{users: 10, files: 30, operations: 600, clients: 6}
	if os.Getenv("CAUSEWAY_WEEK") != "" {
		sizes = weekSizes{users: 200, files: 100, operations: 20_000, clients: 16}
	}
	for _, kind := range oldservers.Kinds() {
		if only := os.Getenv("CAUSEWAY_WEEK_SERVER"); only == "" || only == string(kind) {
			t.Run(string(kind), func(t *testing.T) { newWeek(t, kind, sizes).run() })
		}
	}
}

// newWeek starts the old server with the files of all users, and the gateway before it.
func newWeek(t *testing.T, kind oldservers.Kind, sizes weekSizes) *week {
	t.Helper()
	w := &week{t: t, sizes: sizes, dir: t.TempDir(), free: make(chan *weekUser, sizes.users)}
	w.counted.L = &w.mu
	oldDir := filepath.Join(w.dir, "old")
	known := []oldservers.User{probing}
	for i := range sizes.users {
		u := &weekUser{name: fmt.Sprintf("device%03d", i), password: fmt.Sprintf("pässword: #%d", i), rng: rand.New(rand.NewPCG(weekSeed, uint64(i)))}
		home := filepath.Join(oldDir, "homes", u.name)
		var err error
		if u.tree, err = seedHome(home, sizes.files, u.rng); err != nil {
			t.Fatal(err)
		}
		known = append(known, oldservers.User{Name: u.name, Password: u.password})
		w.users = append(w.users, u)
		w.free <- u
	}
	var err error
	if w.old, err = oldservers.Start(t.Context(), kind, oldservers.Options{Dir: oldDir, Users: known, TLS: true, RequireReuse: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.old.Kill)
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w.store = buckets[1]
	if w.address, err = freePort(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "users.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.during, w.after = w.config(true), w.config(false)
	w.serve(w.during)
	return w
}

// weekSeed makes runs alike, as far as clients at the same time can be.
const weekSeed = 20261129

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// config writes the gateway's configuration: with what is behind, or without.
func (w *week) config(behind bool) string {
	w.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "listeners: [{address: %q}]\ntls: {certificate: %s, key: %s}\n", w.address, quote(shared.cert.certFile), quote(shared.cert.keyFile))
	fmt.Fprintf(&b, "limits: {sessions_per_address: 1000}\nlog: {format: json, level: debug}\nstores:\n  new: %s\n", w.store.config)
	mount, learn, name := "", "", "after.yaml"
	if behind {
		name = "during.yaml"
		mount = `, behind: {store: old, path: "/{user}", until: 2099-12-31, copy: on_read}`
		learn = fmt.Sprintf("  - learn: {from: %q, ca: %s, into: users.yaml, template: device, until: 2099-12-31}\n", "ftps://"+w.old.Address, quote(w.old.Certificate))
		fmt.Fprintf(&b, "  old: {kind: ftp, url: %q, ca: %s, user: %s, password: %q}\n", "ftps://"+w.old.Address, quote(w.old.Certificate), w.old.Admin.Name, w.old.Admin.Password)
	}
	fmt.Fprintf(&b, `templates:
  device:
    mounts: [{path: /, store: new, prefix: "home/{user}/", rights: [list, read, write, overwrite, delete, rename, mkdir]%s}]
accounts:
  - file: users.yaml
%s`, mount, learn)
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// serve starts a gateway.
func (w *week) serve(config string) {
	w.t.Helper()
	w.gateway = launch(w.t, "serve", "-c", config)
	if _, err := w.gateway.log.await(func(r record) bool { return r["msg"] == "listening" }, 0, w.gateway.exited); err != nil {
		w.t.Fatalf("gateway does not listen: %v\n%s", err, w.gateway.log)
	}
}

// run is the week.
func (w *week) run() {
	w.t.Helper()
	begun := time.Now()
	if err := w.probe(); err != nil {
		w.t.Fatal(err)
	}
	clients := w.start()
	w.reach(15)
	w.oldServerIsDown(w.old.Stop, 25)
	w.reach(40)
	w.gatewayIsKilled()
	w.reach(55)
	w.oldServerIsDown(w.old.Kill, 65)
	w.reach(75)
	w.gatewayIsKilled()
	w.reach(90)
	w.awaitMigration()
	w.migrating()
	if code := w.awaitMigration(); code != 0 {
		w.failf("the last migration ends with %d", code)
	}
	w.reach(100)
	w.stop()
	clients.Wait()
	w.settle()
	w.old.Stop()
	w.peak = max(w.peak, peakOf(w.gateway))
	w.gateway.interrupt(w.t, syscall.SIGTERM)
	w.serve(w.after)
	w.verify()
	w.t.Logf("%d operations in %.0f s, %d of them good while the old server was down, %d refused then, %d excused while the gateway was; at most %d MiB of memory",
		w.operations, time.Since(begun).Seconds(), w.good, w.refused, w.lost, w.peak>>10)
	if w.refused == 0 || w.lost == 0 || w.broken == 0 {
		w.t.Errorf("something went down when no client, or no migration, was there: %d migrations were", w.broken)
	}
}

// oldServerIsDown ends the old server while files are moved, until a share of all operations is
// done, of which some must succeed: what is here goes on.
func (w *week) oldServerIsDown(end func(), percent int) {
	w.t.Helper()
	w.migrating()
	w.mu.Lock()
	good := w.good
	w.mu.Unlock()
	w.oldDown.begin()
	end()
	w.breaks()
	w.await(func() bool { return w.good >= good+10 && w.operations >= w.sizes.operations*percent/100 })
	if err := w.old.Restart(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.awaitOld()
	w.oldDown.end()
}

// awaitOld waits until the gateway asks the old server again: for some seconds it does not.
func (w *week) awaitOld() {
	w.t.Helper()
	err := w.probe()
	for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); err = w.probe() {
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// probe asks for a name that only the old server can tell nothing of, and no memory, for a user
// that does nothing else.
func (w *week) probe() error {
	c, err := dialWeek(w.address, probing.Name, probing.Password)
	if err != nil {
		return err
	}
	defer c.close()
	w.probes++
	_, err = c.do("SIZE /never %d/there", w.probes)
	if code(err) == 550 {
		return nil
	}
	return fmt.Errorf("a probe: %w", err)
}

// probing is not one of the users that work.
var probing = oldservers.User{Name: "probing", Password: "s3cret of the one"}

// gatewayIsKilled has another one go on, while files are moved.
func (w *week) gatewayIsKilled() {
	w.t.Helper()
	w.migrating()
	w.peak = max(w.peak, peakOf(w.gateway))
	w.gatewayDown.begin()
	if err := w.gateway.cmd.Process.Kill(); err != nil {
		w.t.Fatal(err)
	}
	<-w.gateway.exited
	w.breaks()
	w.serve(w.during)
	w.gatewayDown.end()
}

// migrating has a migration of all files run: another one if the one before has ended.
func (w *week) migrating() {
	w.t.Helper()
	if w.migration != nil {
		select {
		case <-w.migration.exited:
			w.awaitMigration()
		default:
			return
		}
	}
	w.migration = launch(w.t, "migrate", "-c", w.during, "old:/", "new:/home")
}

// breaks counts a migration that runs now.
func (w *week) breaks() {
	select {
	case <-w.migration.exited:
	default:
		w.broken++
	}
}

// awaitMigration waits for the end of the migration, and is its exit code.
func (w *week) awaitMigration() int {
	w.t.Helper()
	m := w.migration
	select {
	case <-m.exited:
	case <-time.After(30 * time.Minute):
		w.t.Fatalf("the migration does not end\n%s", m.log)
	}
	code := m.cmd.ProcessState.ExitCode()
	w.migration = nil
	w.t.Logf("a migration ends with %d after %d operations:\n%s%s", code, w.done(), tailOf(m.stdout(), 12), tailOf(m.log.String(), 3))
	return code
}
