package ftp

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

// TestTranscripts plays the files of testdata against a server. Their lines:
//
//	C: a command that the client sends, as Go's quoting writes it without the quotes
//	C+ the same, in one segment with the line that follows
//	D> what the client sends on the data connection; EOF closes it
//	C! CLOSE closes the control connection
//	T: time passes
//	S: what the server said then on the control connection
//	D< and on the data connection; EOF is its end, RESET one that is none
//	#  a comment; "# charset: latin1" and the like configure the server
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			synctest.Test(t, func(t *testing.T) { got = play(t, string(want)) })
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("transcript differs:\n%s", diff(string(want), got))
			}
		})
	}
}

// diff shows the lines from the first difference on.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("line %d\n--- want\n%s\n--- got\n%s", i+1,
				strings.Join(w[i:min(i+4, len(w))], "\n"), strings.Join(g[i:min(i+4, len(g))], "\n"))
		}
	}
	return fmt.Sprintf("%d lines wanted, %d got", len(w), len(g))
}

// testLogin knows the user u with the password p, and anonymous.
func testLogin(files FS, charset Charset) func(context.Context, Credentials) (*Account, error) {
	return func(_ context.Context, c Credentials) (*Account, error) {
		switch {
		case c.User == "down":
			return nil, ErrUnavailable
		case c.User == "u" && c.Password == "p", c.User == "anonymous":
			return &Account{Name: c.User, FS: files, Charset: charset}, nil
		}
		return nil, ErrLogin
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func testConfig(files FS) Config {
	return Config{Login: testLogin(files, nil), Log: quiet()}
}

// player is the client of a transcript.
type player struct {
	t       *testing.T
	server  *memServer
	control *recorder
	data    *recorder
	pending string
	out     strings.Builder
}

// recorder reads a connection to its end.
type recorder struct {
	net.Conn
	mu   sync.Mutex
	buf  bytes.Buffer
	end  string // "EOF" or "RESET", once it has come
	done chan struct{}
}

func record(c net.Conn) *recorder {
	r := &recorder{Conn: c, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			r.mu.Lock()
			r.buf.Write(b[:n])
			if err != nil {
				r.end = endOf(err)
				r.mu.Unlock()
				return
			}
			r.mu.Unlock()
		}
	}()
	return r
}

// endOf names how the other side has ended a connection.
func endOf(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET):
		return "RESET"
	case errors.Is(err, io.EOF):
		return "EOF"
	}
	return "" // this side has
}

// take returns what has come since the last call, and how it ended if it has.
func (r *recorder) take() (said, end string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	said, end = r.buf.String(), r.end
	r.buf.Reset()
	r.end = ""
	return said, end
}

func play(t *testing.T, script string) string {
	files := newFakeFS()
	c := testConfig(files)
	if strings.Contains(script, "# charset: latin1") {
		c.Login = testLogin(files, latin1{})
	}
	if strings.Contains(script, "# manners: device") {
		c.Login = withManners(c.Login, Manners{PassiveOnly: true, DOSListing: true, AnySite: true})
	}
	if strings.Contains(script, "# tls: offered") {
		c.TLS = testTLS(t)
	}
	if strings.Contains(script, "# tls: required") {
		c.TLS, c.TLSRequired = testTLS(t), true
	}
	s := serveMem(t, c, ListenOptions{})
	p := &player{t: t, server: s, control: record(s.connect(t, clientAddr))}
	p.listen()
	synctest.Wait()
	for line := range strings.Lines(script) {
		p.line(strings.TrimSuffix(line, "\n"))
	}
	p.collect()
	p.control.Close()
	if p.data != nil {
		p.data.Close()
	}
	synctest.Wait()
	s.end(t)
	if files.uploads != 0 {
		t.Errorf("%d uploads neither committed nor aborted", files.uploads)
	}
	return p.out.String()
}

// listen takes active data connections on port 5000.
func (p *player) listen() {
	ln, err := p.server.net.Listen(netip.AddrPortFrom(clientAddr, 5000))
	if err != nil {
		p.t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.control.mu.Lock()
			p.data = record(c)
			p.control.mu.Unlock()
		}
	}()
	p.t.Cleanup(func() {})
	go func() { <-p.control.done; ln.Close() }()
}

func (p *player) line(line string) {
	kind, rest, _ := strings.Cut(line, " ")
	switch kind {
	case "S:", "D<":
		return
	case "", "#":
		p.collect()
		p.out.WriteString(line + "\n")
		return
	}
	p.collect()
	p.out.WriteString(line + "\n")
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(rest, `"`, `\"`) + `"`)
	if err != nil {
		p.t.Fatalf("%s: %v", line, err)
	}
	switch kind {
	case "C:":
		p.send(p.pending + text + "\r\n")
		p.pending = ""
	case "C+":
		p.pending += text + "\r\n"
	case "C!":
		p.control.Close()
	case "D>":
		p.sendData(text)
	case "T:":
		d, err := time.ParseDuration(text)
		if err != nil {
			p.t.Fatal(err)
		}
		time.Sleep(d)
	default:
		p.t.Fatalf("unknown line %q", line)
	}
	synctest.Wait()
}

func (p *player) send(s string) {
	go p.control.Write([]byte(s))
}

func (p *player) sendData(text string) {
	if p.data == nil {
		p.t.Fatal("no data connection")
	}
	if text == "EOF" {
		p.data.Close()
		return
	}
	p.data.Write([]byte(text))
}

var (
	passiveReply = regexp.MustCompile(`(?m)^22[79] .*?(\d+),(\d+)\)|\|\|\|(\d+)\|`)
	unique       = regexp.MustCompile(`-[a-z2-7]{26}`)
)

// collect writes down what the server has said, and connects where it listens.
func (p *player) collect() {
	synctest.Wait()
	said, end := p.control.take()
	if m := passiveReply.FindStringSubmatch(said); m != nil {
		p.connectData(m)
	}
	said = unique.ReplaceAllString(said, "-UNIQUE")
	for line := range strings.Lines(said) {
		line, crlf := strings.CutSuffix(line, "\r\n")
		if !crlf {
			p.t.Errorf("reply %q does not end with CRLF", line)
		}
		p.out.WriteString("S: " + visible(line) + "\n")
	}
	if end != "" {
		p.out.WriteString("S: CLOSE\n")
	}
	if p.data == nil {
		return
	}
	got, end := p.data.take()
	for line := range strings.Lines(got) {
		p.out.WriteString("D< " + visible(line) + "\n")
	}
	if end != "" {
		p.out.WriteString("D< " + end + "\n")
	}
}

// connectData connects to the port of a reply to PASV or EPSV. In memory ports are given
// out in order, so replies need no mask.
func (p *player) connectData(m []string) {
	port := atoi(m[1])<<8 | atoi(m[2])
	if m[3] != "" {
		port = atoi(m[3])
	}
	c, err := p.server.net.Dial(p.t.Context(), netip.AddrPortFrom(clientAddr, 0), netip.AddrPortFrom(serverAddr, uint16(port)))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.data != nil {
		p.data.Close()
	}
	p.data = record(c)
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// visible writes s as a Go string without its quotes, and quotes in it as they are.
func visible(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// latin1 is the charset of an old device.
type latin1 struct{}

func (latin1) Decode(octets []byte) (string, error) {
	var b strings.Builder
	for _, c := range octets {
		b.WriteRune(rune(c))
	}
	return b.String(), nil
}

func (latin1) Encode(name string) ([]byte, error) {
	var b []byte
	for _, r := range name {
		if r > 0xff {
			return nil, errors.New("not in ISO 8859-1")
		}
		b = append(b, byte(r))
	}
	return b, nil
}
