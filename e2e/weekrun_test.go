//go:build e2e && week

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/e2e/oldservers"
)

// week is a run of TestAWeek. What follows mu is guarded by it.
type week struct {
	t             *testing.T
	sizes         weekSizes
	dir           string
	old           *oldservers.Server
	store         *namedBucket
	address       string // of the gateway
	gateway       *gateway
	migration     *gateway // the last one
	probes        int
	broken        int    // migrations that ran when something went down
	peak          int    // KiB of memory of the gateways
	during, after string // configurations

	users                []*weekUser
	free                 chan *weekUser // those that do nothing now
	oldDown, gatewayDown outages

	mu            sync.Mutex
	counted       sync.Cond // of operations, good and failures
	operations    int
	good, refused int // while the old server was down
	lost          int // while the gateway was
	failures      int
	over          bool
}

// maxFailures is enough to see what is wrong.
const maxFailures = 10

// failf tells of what must not be, and ends the clients if there is much of it.
func (w *week) failf(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf(format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures++
	w.over = w.over || w.failures >= maxFailures
	w.counted.Broadcast()
}

// await waits until a condition of what mu guards holds.
func (w *week) await(holds func() bool) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.over && !holds() {
		w.counted.Wait()
	}
	if w.over {
		w.t.FailNow()
	}
}

// reach waits until a share of all operations is done.
func (w *week) reach(percent int) {
	w.t.Helper()
	w.await(func() bool { return w.operations >= w.sizes.operations*percent/100 })
}

// count tells of an operation that has ended.
func (w *week) count(begun time.Time, err error) {
	down, killed := w.oldDown.since(begun), w.gatewayDown.since(begun)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case killed && err != nil:
		w.lost++
	case down && err != nil:
		w.refused++
	case down:
		w.good++
	}
	if !killed || err == nil {
		w.operations++
	}
	w.counted.Broadcast()
}

// done is how many operations have ended.
func (w *week) done() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.operations
}

func (w *week) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

func (w *week) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}

// start has clients come, one for each user at a time.
func (w *week) start() *sync.WaitGroup {
	var clients sync.WaitGroup
	for range w.sizes.clients {
		clients.Go(func() {
			for !w.ended() {
				u := <-w.free
				w.session(u, 12+u.rng.IntN(20))
				w.free <- u
				if w.gatewayDown.now() {
					time.Sleep(100 * time.Millisecond) // as clients do
				}
			}
		})
	}
	w.t.Cleanup(func() {
		w.stop()
		clients.Wait()
	})
	return &clients
}

// session is one login with at most so many operations.
func (w *week) session(u *weekUser, operations int) {
	begun := time.Now()
	c, err := dialWeek(w.address, u.name, u.password)
	if err != nil {
		w.count(begun, err)
		if !w.excused(begun, err) && (u.known || !w.oldDown.since(begun) || code(err)/100 != 4) {
			w.failf("%s logs in: %v", u.name, err)
		}
		return
	}
	defer c.close()
	u.known = true
	if !w.find(u, c) {
		return
	}
	for range operations {
		op := u.next()
		if op == nil {
			continue
		}
		if !w.perform(u, c, op) || w.ended() {
			break
		}
	}
	_, _ = c.do("QUIT") // all is done
}

// perform does an operation, and tells whether the session goes on.
func (w *week) perform(u *weekUser, c *weekClient, op *weekOp) bool {
	begun := time.Now()
	err := op.do(c)
	w.count(begun, err)
	switch {
	case err == nil:
		if op.done != nil {
			op.done()
		}
		return true
	case !w.excused(begun, err), op.here && !w.gatewayDown.since(begun):
		w.failf("%s: %s: %v", u.name, op.what, err)
		return false
	case op.find != nil && (op.partly || code(err) == 0):
		u.doubt = op
		return false
	}
	return code(err) != 0
}

// find looks what has become of an operation that is in doubt.
func (w *week) find(u *weekUser, c *weekClient) bool {
	if u.doubt == nil {
		return true
	}
	begun := time.Now()
	err := u.doubt.find(c)
	if err == nil {
		u.doubt = nil
		return true
	}
	if !w.excused(begun, err) {
		w.failf("%s: after an interrupted %s: %v", u.name, u.doubt.what, err)
	}
	return false
}

// excused tells whether an error is one that clients may see: 450 while something is down, in
// the place of which listings have 451, and what has begun to be sent 451 or 426; and 421 or a
// lost connection when the gateway is killed.
func (w *week) excused(begun time.Time, err error) bool {
	var wrong errWrong
	switch {
	case errors.As(err, &wrong):
		return false
	case code(err) == 450, sending(err) && (code(err) == 426 || code(err) == 451):
		return w.oldDown.since(begun) || w.gatewayDown.since(begun)
	case code(err) == 0, code(err) == 421:
		return w.gatewayDown.since(begun)
	}
	return false
}

// settle has each user log in once more while the old server is there, and find what was in doubt.
func (w *week) settle() {
	w.t.Helper()
	w.forEach(func(u *weekUser) error {
		c, err := dialWeek(w.address, u.name, u.password)
		if err != nil {
			return err
		}
		defer c.close()
		if u.doubt != nil {
			return u.doubt.find(c)
		}
		return nil
	})
}

// verify compares what each user sees with what must be there.
func (w *week) verify() {
	w.t.Helper()
	w.forEach(func(u *weekUser) error {
		c, err := dialWeek(w.address, u.name, u.password)
		if err != nil {
			return err
		}
		defer c.close()
		return errors.Join(u.sees(c, "/"), u.mirrors(w.address, path.Join(w.dir, "mirror", u.name)))
	})
}

// forEach does something for all users, some at a time.
func (w *week) forEach(do func(*weekUser) error) {
	w.t.Helper()
	var all sync.WaitGroup
	turns := make(chan struct{}, w.sizes.clients)
	for _, u := range w.users {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			if err := do(u); err != nil {
				w.t.Errorf("%s: %v", u.name, err)
			}
		})
	}
	all.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
}

// sees compares a directory, and all below it.
func (u *weekUser) sees(c *weekClient, dir string) error {
	var errs []error
	ops := []*weekOp{u.list(dir)}
	for name := range u.tree.files {
		if path.Dir(name) == dir {
			ops = append(ops, u.retr(name), u.stat(name))
		}
	}
	for _, op := range ops {
		if err := op.do(c); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", op.what, err))
		}
	}
	for below := range u.tree.dirs {
		if path.Dir(below) == dir {
			errs = append(errs, u.sees(c, below))
		}
	}
	return errors.Join(errs...)
}

// mirrors has lftp download all, and compares it.
func (u *weekUser) mirrors(address, dir string) error {
	cmd := exec.Command("lftp", "-u", u.name+","+u.password, "-e", "set ftp:ssl-allow no; set xfer:clobber yes; mirror --no-perms / "+strconv.Quote(dir)+"; bye", "ftp://"+address)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lftp: %w: %s", err, out)
	}
	files := 0
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(name)
		if f, ok := u.tree.files[strings.TrimPrefix(name, dir)]; err == nil && (!ok || !f.is(content)) {
			return wrong("lftp has %q with %d octets", name, len(content))
		}
		return err
	})
	if err == nil && files != len(u.tree.files) {
		err = wrong("lftp has %d files, not %d", files, len(u.tree.files))
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// peakOf is the most memory that a process has had, in KiB.
func peakOf(g *gateway) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid)) // none if it has ended
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(after, "kB", 2)[0]))
	return kib
}

// outages are when something was down.
type outages struct {
	mu   sync.Mutex
	from []time.Time
	to   []time.Time // one less than from while it is down
}

func (o *outages) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from = append(o.from, time.Now())
}

func (o *outages) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.to = append(o.to, time.Now())
}

// now tells whether it is down.
func (o *outages) now() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.from) > len(o.to)
}

// since tells whether it is down, or was since then.
func (o *outages) since(begun time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.from) > len(o.to) || slices.ContainsFunc(o.to, func(t time.Time) bool { return t.After(begun) })
}
