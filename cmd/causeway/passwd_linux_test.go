package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// pseudoTerminal opens a terminal and returns its descriptor: what is written to keyboard
// is typed there. The test closes it, unless a read
// is left behind that uses it.
func pseudoTerminal(t *testing.T) (keyboard *os.File, terminal int) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal("no terminals here:", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return keyboard, terminal
}

func echoes(t *testing.T, terminal int) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(terminal, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// awaitPrompt waits until what is typed does not show.
func awaitPrompt(t *testing.T, terminal int) {
	t.Helper()
	for echoes(t, terminal) {
		runtime.Gosched()
	}
}

func TestPasswordAtATerminalDoesNotShow(t *testing.T) {
	keyboard, terminal := pseudoTerminal(t)
	stdin := os.NewFile(uintptr(terminal), "terminal")
	defer stdin.Close()
	type answer struct {
		password string
		err      error
	}
	answers := make(chan answer, 1)
	prompted := make(chan string, 2)
	go func() {
		password, err := readPassword(t.Context(), console{stdin: stdin, stderr: prompts(prompted)})
		answers <- answer{password, err}
	}()
	for _, prompt := range []string{"Password: ", "Again: "} {
		if got := <-prompted; got != prompt {
			t.Errorf("prompt %q", got)
		}
		awaitPrompt(t, terminal)
		if _, err := io.WriteString(keyboard, "canary\n"); err != nil {
			t.Fatal(err)
		}
	}
	if a := <-answers; a.password != "canary" || a.err != nil {
		t.Errorf("%q, %v", a.password, a.err)
	}
	if !echoes(t, terminal) {
		t.Error("the terminal stays silent")
	}
}

// prompts passes on what is written but for ends of lines.
type prompts chan string

func (p prompts) Write(text []byte) (int, error) {
	if !bytes.Equal(text, []byte("\n")) {
		p <- string(text)
	}
	return len(text), nil
}

// TestInterruptedPasswordGivesTheEchoBack: Ctrl-C ends the context, and the program is
// over before the read returns.
func TestInterruptedPasswordGivesTheEchoBack(t *testing.T) {
	_, terminal := pseudoTerminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	errs := make(chan error, 1)
	go func() {
		_, err := askTwice(ctx, io.Discard, terminal)
		errs <- err
	}()
	awaitPrompt(t, terminal)
	interrupt()
	if err := <-errs; !errors.Is(err, errInterrupted) {
		t.Errorf("got %v", err)
	}
	if !echoes(t, terminal) {
		t.Error("the terminal stays silent")
	}
	if _, err := askTwice(ctx, io.Discard, terminal); !errors.Is(err, errInterrupted) || !echoes(t, terminal) {
		t.Errorf("asked after the interrupt: %v", err)
	}
}
