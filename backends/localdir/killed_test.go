//go:build linux || darwin

package localdir

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"causeway/backends"
)

// writerOf tells a process of this test's binary which store it is to write to.
const writerOf = "CAUSEWAY_TEST_WRITER_OF"

// TestS13_KilledProcessLosesNothingThatItWrote kills a process that is in the middle of
// two uploads, one of them too small to be worth its record.
func TestS13_KilledProcessLosesNothingThatItWrote(t *testing.T) {
	if dir := os.Getenv(writerOf); dir != "" {
		s := reopen(t, dir)
		begin(t, s, "small", "small", backends.CreateOptions{})
		begin(t, s, "d/large", large+"and more", backends.CreateOptions{})
		os.Stdout.WriteString("written\n")
		select {} // until it is killed
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), writerOf+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "written\n" {
		t.Errorf("the writer says %q, %v", line, err)
	}
	live := reopen(t, dir)
	if _, err := live.Create(t.Context(), "d/large", backends.CreateOptions{Resume: onlyParked(t, live, "d/large", len(large)+8).ID}); err == nil {
		t.Error("what is being written was resumed")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	s := reopen(t, dir)
	if all := parkedOf(t, s, "small"); len(all) > 0 {
		t.Errorf("parked: %+v", all)
	}
	resume(t, s, onlyParked(t, s, "d/large", len(large)+8), " of it")
	wantFile(t, filepath.Join(dir, "d", "large"), large+"and more of it")
	wantNothingPending(t, dir)
}
