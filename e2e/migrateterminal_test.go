//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal opens a terminal of 120 columns: what is written to it can be read from screen.
func terminal(t *testing.T) (screen, line *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(line.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120}); err != nil {
		t.Fatal(err)
	}
	return screen, line
}

// TestMigrateShowsABarAndEndsBySignal: on a terminal there is a bar with an ETA. A signal ends
// the program with a report, and a code that says that not all is there.
func TestMigrateShowsABarAndEndsBySignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{unix.SIGINT, unix.SIGTERM} {
		m := newMigration(t, "")
		m.file("in/a", "a", time.Now())
		m.file("in/large", strings.Repeat("x", 4<<20), time.Now())
		screen, line := terminal(t)
		cmd := exec.Command(shared.binary, "migrate", "-c", m.config, "--rate", "64KiB", "disk:in", m.at("s3", "bar"))
		cmd.Stdout, cmd.Stderr = line, line
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		line.Close()
		if err := screen.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Log(err) // then the test's own deadline counts
		}
		bar := regexp.MustCompile(`\[#*\.+\] +\d+% 1/2 files, [0-9.]+ [KM]iB/4.0 MiB, [0-9.]+ [KM]?i?B/s, ETA \d+(m\d+)?s`)
		var seen bytes.Buffer
		for buf, sent := make([]byte, 4096), false; ; {
			n, err := screen.Read(buf)
			seen.Write(buf[:n])
			if !sent && bar.Match(seen.Bytes()) {
				sent = true
				if err := cmd.Process.Signal(signal); err != nil {
					t.Error(err)
				}
			}
			if err != nil {
				break // EIO, when the program has ended
			}
		}
		_ = cmd.Wait() // the code tells
		text := seen.String()
		if cmd.ProcessState.ExitCode() != 1 || !bar.MatchString(text) {
			t.Errorf("%v: ends with %v, after\n%q", signal, cmd.ProcessState, text)
		}
		for _, want := range []string{"\r\ncopied                        1 files          1 B\r\n", "it has ended before all was looked at\r\n", "causeway migrate: interrupted; the next run goes on"} {
			if !strings.Contains(text, want) {
				t.Errorf("%v: %q is not in %q", signal, want, text)
			}
		}
	}
}
