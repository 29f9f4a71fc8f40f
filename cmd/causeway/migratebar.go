package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"causeway/gateway/migrate"
)

// String is a standing for people.
func (s standing) String() string {
	files, done, more := fmt.Sprint(s.files), octets(s.octets), ""
	if s.total.Files > 0 {
		files, done = fmt.Sprintf("%d/%d", s.files, s.total.Files), fmt.Sprintf("%s/%s", octets(s.octets), octets(s.total.Octets))
	}
	if s.left > 0 {
		more = ", ETA " + s.left.String()
	}
	if s.failed > 0 {
		more += fmt.Sprintf(", %d failed", s.failed)
	}
	return fmt.Sprintf("%s files, %s, %s/s%s", files, done, octets(int64(s.rate)), more)
}

// barLines show on a terminal how far it is, by a bar below the lines.
type barLines struct {
	plainLines
	status *statusLine
}

func (t *barLines) every() time.Duration { return 200 * time.Millisecond }
func (t *barLines) counts() bool         { return true }

func (t *barLines) progress(s standing) { t.status.show(bar(s, t.status.columns())) }

func (t *barLines) report(r migrate.Report, err error) {
	t.status.leave()
	t.plainLines.report(r, err)
}

// leastBar and mostBar are how long a bar may be, in columns.
const leastBar, mostBar = 10, 40

// bar is a standing in one line of fewer columns than the terminal has, so that it does not
// go on to the next. What is done is told by files and octets alike, whichever takes longer.
func bar(s standing, columns int) string {
	text := s.String()
	if length := min(columns-len(text)-len("[] 100% ")-1, mostBar); s.total.Files > 0 && length >= leastBar {
		done := float64(s.octets+s.files*fileCost) / float64(s.total.Octets+s.total.Files*fileCost)
		full := int(done * float64(length))
		text = fmt.Sprintf("[%s%s] %3d%% %s", strings.Repeat("#", full), strings.Repeat(".", length-full), int(done*100), text)
	}
	return text[:min(len(text), max(columns-1, 0))]
}

// statusLine is a terminal with a line that changes, below what is written to it.
type statusLine struct {
	to      io.Writer
	columns func() int

	mu   sync.Mutex
	line string
}

// terminalOf is a console's standard error and output, the first of them a statusLine if it is
// a terminal; so is the other then, which may be the same one.
func terminalOf(c console) (stderr, stdout io.Writer) {
	f, ok := c.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return c.stderr, c.stdout
	}
	s := &statusLine{to: f, columns: func() int {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
		return 80
	}}
	return s, above{s, c.stdout}
}

// Write writes whole lines above the line.
func (s *statusLine) Write(p []byte) (int, error) { return above{s, s.to}.Write(p) }

// above writes whole lines to what may be the same terminal.
type above struct {
	status *statusLine
	to     io.Writer
}

func (a above) Write(p []byte) (int, error) {
	a.status.mu.Lock()
	defer a.status.mu.Unlock()
	line := a.status.line
	a.status.put("")
	n, err := a.to.Write(p)
	a.status.put(line)
	return n, err
}

// show puts a line in the place of the one before.
func (s *statusLine) show(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(line)
}

// leave lets the line stay where it is.
func (s *statusLine) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != "" {
		fmt.Fprintln(s.to)
	}
	s.line = ""
}

// put overwrites the line by blanks, which every terminal knows. The caller holds the lock.
func (s *statusLine) put(line string) {
	if rest := len(s.line) - len(line); rest > 0 {
		fmt.Fprintf(s.to, "\r%s", strings.Repeat(" ", len(s.line)))
	}
	if s.line != "" || line != "" {
		fmt.Fprintf(s.to, "\r%s", line)
	}
	s.line = line
}
