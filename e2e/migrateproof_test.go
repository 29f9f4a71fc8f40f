//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// migrateMemory is the most that may be resident while files are copied, in octets.
const migrateMemory = 150 << 20

// TestMigrateManyNamesInConstantMemory copies small files of an old server to S3, from one
// directory, which does not fit into memory, and from several, with a program built as users
// have it. `make migrate-proofs` does so with a million each, by CAUSEWAY_MIGRATE_NAMES, and
// with a tenth of them, which must take nearly as much memory.
func TestMigrateManyNamesInConstantMemory(t *testing.T) {
	t.Parallel()
	program := plainProgram(t)
	if os.Getenv("CAUSEWAY_MIGRATE_NAMES") == "" {
		for _, tree := range []names{{16_000, 0}, {4000, 1000}} {
			if peak := tree.migrate(t, program); peak > migrateMemory {
				t.Errorf("%+v takes %d MiB", tree, peak>>20)
			}
		}
		return
	}
	n, err := strconv.Atoi(os.Getenv("CAUSEWAY_MIGRATE_NAMES"))
	if err != nil {
		t.Fatal(err)
	}
	for _, perDir := range []int{0, 1000} {
		small, large := names{n / 10, perDir}.migrate(t, program), names{n, perDir}.migrate(t, program)
		// A page of a listing and what is being copied are the same for both; what is more is
		// the garbage of a longer run.
		if large > migrateMemory || large > small*5/4 {
			t.Errorf("%d names, %d in a directory, take %d MiB, and a tenth of them %d MiB", n, perDir, large>>20, small>>20)
		}
	}
}

// plainProgram builds the program without the race detector, which takes memory of its own.
func plainProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "causeway")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/causeway")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// TestMigrateKilledLeavesNoTemporaryFiles, though it keeps what is listed in such files.
func TestMigrateKilledLeavesNoTemporaryFiles(t *testing.T) {
	t.Parallel()
	run := names{20_000, 0}.start(t, shared.binary)
	for run.target.taking() == 0 && run.ended == nil {
		run.look()
	}
	held := 0
	descriptors := fmt.Sprintf("/proc/%d/fd", run.cmd.Process.Pid)
	open, _ := os.ReadDir(descriptors)
	for _, fd := range open {
		if name, err := os.Readlink(filepath.Join(descriptors, fd.Name())); err == nil && strings.HasPrefix(name, run.temporary) {
			held++
		}
	}
	if err := run.cmd.Process.Kill(); err != nil || held == 0 {
		t.Fatalf("%v; %d temporary files are in use\n%s", err, held, run.out.String())
	}
	for run.ended == nil {
		run.look()
	}
	if left, err := os.ReadDir(run.temporary); err != nil || len(left) > 0 {
		t.Errorf("%v; %d are left of %d", err, len(left), held)
	}
}

// migrationRun is the program at work.
type migrationRun struct {
	cmd       *exec.Cmd
	out       bytes.Buffer // to be read when it has ended
	target    *taker
	temporary string // the folder for its temporary files
	looks     *time.Ticker
	exited    chan error
	ended     *os.ProcessState
	err       error
	peak      int64 // the most memory that was resident, in octets
}

// start starts to copy the tree.
func (n names) start(t *testing.T, program string) *migrationRun {
	t.Helper()
	r := &migrationRun{temporary: t.TempDir(), exited: make(chan error, 1), looks: time.NewTicker(100 * time.Millisecond)}
	r.target = &taker{names: n, prefix: "/bucket/new/", taken: make([]bool, n.count)}
	s3 := httptest.NewServer(r.target)
	t.Cleanup(s3.Close)
	config := writeFile(t, "causeway.yaml", fmt.Sprintf(`listeners: [{address: "127.0.0.1:0"}]
stores:
  old: {kind: ftp, url: "ftp://%s", user: old, password: old}
  new: {kind: s3, bucket: bucket, region: us-east-1, endpoint: %q, path_style: true, access_key: a, secret_key: b}
anonymous: {mounts: [{path: /, store: new}]}
`, n.serveFTP(t), s3.URL))
	r.cmd = exec.Command(program, "migrate", "-c", config, "old:/", "new:new")
	r.cmd.Env = append(os.Environ(), "TMPDIR="+r.temporary)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // an error means that it has ended
	go func() { r.exited <- r.cmd.Wait() }()
	return r
}

// look waits for a moment, or the end. The kernel keeps the peak of the memory, but not beyond
// the end; what it tells then has the parent's in it.
func (r *migrationRun) look() {
	select {
	case <-r.looks.C:
		r.peak = max(r.peak, resident(r.cmd.Process.Pid))
	case r.err = <-r.exited:
		r.looks.Stop()
		r.ended = r.cmd.ProcessState
	}
}

// migrate copies the tree, and gives the most memory that was resident meanwhile.
func (n names) migrate(t *testing.T, program string) (peak int64) {
	t.Helper()
	begun, r := time.Now(), n.start(t, program)
	for r.ended == nil {
		r.look()
	}
	if r.err != nil || r.target.count != n.count || len(r.target.odd) > 0 || r.peak == 0 {
		t.Fatalf("%v: %d of %d files came, and %q\n%s", r.err, r.target.count, n.count, r.target.odd, r.out.String())
	}
	t.Logf("%d files, %d in a directory (0 is all): at most %.1f MiB, %.0f files/s",
		n.count, n.perDir, float64(r.peak)/(1<<20), float64(n.count)/time.Since(begun).Seconds())
	return r.peak
}

// resident is the most that was resident of a process, in octets; 0 once it has ended.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(after, " kB")
	size, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return size << 10
}
