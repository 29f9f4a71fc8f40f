//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"causeway/e2e/bench/nulls3"
)

// counted is a file of an old server that nobody has made: the numbers from 0 on, in eight
// octets each, up to its size.
type counted struct {
	size int64

	mu      sync.Mutex
	changed *sync.Cond
	sent    int64   // octets of all times together
	stop    int64   // the server sends no octets from there on, until this is changed
	at      int64   // the next octet
	run     int     // of the program
	offsets []int64 // where each time began
}

// from sends the file from an offset on, until the end or until the client has gone.
func (f *counted) from(offset int64, w io.Writer) error {
	f.mu.Lock()
	f.offsets = append(f.offsets, offset)
	run := f.run
	f.mu.Unlock()
	const chunk = int64(64 << 10)
	for b := make([]byte, 0, chunk+16); offset < f.size; offset += int64(len(b)) {
		f.mu.Lock()
		for f.stop <= offset && f.run == run {
			f.changed.Wait()
		}
		if f.run != run {
			f.mu.Unlock()
			return net.ErrClosed // who has read so far was killed
		}
		n := min(chunk, f.stop-offset)
		f.mu.Unlock()
		b = numbers(b[:0], offset, n)
		if _, err := w.Write(b); err != nil {
			return err
		}
		f.mu.Lock()
		f.sent, f.at = f.sent+n, offset+n
		f.changed.Broadcast()
		f.mu.Unlock()
	}
	return nil
}

// session serves one control connection of the old server.
func (f *counted) session(control net.Conn) {
	defer control.Close()
	data, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	defer data.Close()
	facts := fmt.Sprintf("modify=20210203040506;size=%d;type=file; ", f.size)
	replies := map[string]string{
		"USER": "331 Password", "PASS": "230 Welcome", "CWD": "250 Changed", "OPTS": "200 Yes", "TYPE": "200 Yes", "NOOP": "200 Yes",
		"FEAT": "211-Features:\r\n MLST modify*;size*;type*;\r\n SIZE\r\n MDTM\r\n REST STREAM\r\n UTF8\r\n211 End",
		"EPSV": fmt.Sprintf("229 Passive (|||%d|)", data.Addr().(*net.TCPAddr).Port),
		"REST": "350 From there", "MLST": "250-It is\r\n " + facts + "/large\r\n250 End",
	}
	fmt.Fprint(control, "220 Old server\r\n")
	offset, lines := int64(0), bufio.NewScanner(control)
	for lines.Scan() {
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		reply, known := replies[verb]
		switch {
		case verb == "REST":
			offset, _ = strconv.ParseInt(arg, 10, 64)
		case verb == "MLSD", verb == "RETR":
			fmt.Fprint(control, "150 Here it comes\r\n")
			if reply = "226 Done"; f.transfer(data, verb, facts, offset) != nil {
				reply = "426 Cut off"
			}
			offset = 0
		case verb == "QUIT":
			fmt.Fprint(control, "221 Bye\r\n")
			return
		case !known:
			reply = "502 Not known here"
		}
		fmt.Fprint(control, reply, "\r\n")
	}
}

func (f *counted) transfer(data net.Listener, verb, facts string, offset int64) error {
	conn, err := data.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	if verb == "RETR" {
		return f.from(offset, conn)
	}
	_, err = fmt.Fprintf(conn, "%slarge\r\n", facts)
	return err
}

// parts is an S3 server that checks the content of parts and forgets it.
type parts struct {
	next http.Handler

	mu     sync.Mutex
	stored int64           // octets in parts that are stored, none of them twice
	last   int64           // octets of the last part
	most   int64           // and of the largest
	sizes  map[int64]int64 // of the parts, by the offset at which they begin
	open   map[string]bool // uploads in parts that have not ended
	wrong  []string

	arrived chan struct{} // a part has
}

func (p *parts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("uploadId")
	if r.Method != http.MethodPut || id == "" {
		p.next.ServeHTTP(w, r)
		p.mu.Lock()
		defer p.mu.Unlock()
		if id != "" && (r.Method == http.MethodPost || r.Method == http.MethodDelete) {
			delete(p.open, id)
		}
		return
	}
	p.mu.Lock()
	check := &consecutive{offset: p.stored} // parts come one after another
	p.mu.Unlock()
	r.Body = io.NopCloser(io.TeeReader(r.Body, check))
	p.next.ServeHTTP(w, r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[id] = true
	switch {
	case check.size != r.ContentLength: // the client was killed
		return
	case check.wrong || check.offset != p.stored:
		p.wrong = append(p.wrong, fmt.Sprintf("a part of %d octets at %d, with %d stored", check.size, check.offset, p.stored))
	}
	p.sizes[p.stored] = check.size
	p.stored, p.last, p.most = p.stored+check.size, check.size, max(p.most, check.size)
	select {
	case p.arrived <- struct{}{}:
	default:
	}
}

// numbers appends the n octets from an offset on of the numbers from 0 on, in eight octets each.
func numbers(b []byte, offset, n int64) []byte {
	for i := offset / 8; i*8 < offset+n; i++ {
		b = binary.BigEndian.AppendUint64(b, uint64(i))
	}
	return b[offset%8:][:n]
}

// consecutive takes what is to be the octets from an offset on.
type consecutive struct {
	offset, size int64
	want         []byte
	wrong        bool
}

func (c *consecutive) Write(b []byte) (int, error) {
	c.want = numbers(c.want[:0], c.offset+c.size, int64(len(b)))
	c.wrong = c.wrong || !bytes.Equal(b, c.want)
	c.size += int64(len(b))
	return len(b), nil
}

// TestMigrateKilledGoesOnInTheMiddle: a file is copied to S3 by a program that is killed three
// times, and each time less than a part is sent again. `make migrate-proofs` does so with
// 20 GiB, by CAUSEWAY_MIGRATE_LARGE, which is in MiB.
func TestMigrateKilledGoesOnInTheMiddle(t *testing.T) {
	t.Parallel()
	size := int64(200)
	if text := os.Getenv("CAUSEWAY_MIGRATE_LARGE"); text != "" {
		var err error
		if size, err = strconv.ParseInt(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	old := newCounted(size << 20)
	p := &parts{sizes: map[int64]int64{}, open: map[string]bool{}, arrived: make(chan struct{}, 1), next: nulls3.New(nulls3.Options{})}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	config := writeFile(t, "causeway.yaml", fmt.Sprintf(`listeners: [{address: "127.0.0.1:0"}]
stores:
  old: {kind: ftp, url: "ftp://%s", user: old, password: old}
  new: {kind: s3, bucket: bucket, region: us-east-1, endpoint: %q, path_style: true, access_key: a, secret_key: b}
anonymous: {mounts: [{path: /, store: new}]}
`, old.serve(t), server.URL))
	for i := int64(1); i <= 3; i++ {
		stop := i*old.size/4 + 1<<20 + 8
		old.until(stop)
		r := copying(t, config)
		for !p.has(stop) {
			select {
			case <-p.arrived:
			case err := <-r.exited:
				t.Fatalf("it ends before it is killed: %v\n%s", err, r.out.String())
			}
		}
		old.await()
		t.Logf("at most %d KiB were resident before kill %d", r.resident(), i)
		if err := r.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-r.exited
	}
	old.until(old.size)
	if err := <-copying(t, config).exited; err != nil {
		t.Fatal(err)
	}
	old.check(t, p)
	p.check(t, server.URL, old.size)
}

// copyingRun is the program at work.
type copyingRun struct {
	cmd    *exec.Cmd
	out    bytes.Buffer // to be read when it has ended
	exited chan error
}

func copying(t *testing.T, config string) *copyingRun {
	t.Helper()
	r := &copyingRun{cmd: exec.Command(shared.binary, "migrate", "-c", config, "old:/", "new:new"), exited: make(chan error, 1)}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() }) // an error means that it has ended
	go func() { r.exited <- r.cmd.Wait() }()
	return r
}

// resident is the most memory that it has had, in KiB, as the kernel tells.
func (r *copyingRun) resident() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	line, _, _ := strings.Cut(after, " kB")
	size, _ := strconv.Atoi(strings.TrimSpace(line))
	return size
}

func newCounted(size int64) *counted {
	f := &counted{size: size}
	f.changed = sync.NewCond(&f.mu)
	return f
}

// serve answers as the old server until the test ends.
func (f *counted) serve(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go f.session(conn)
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// until lets the next run have the file up to an octet.
func (f *counted) until(stop int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stop, f.run = stop, f.run+1
	f.changed.Broadcast()
}

// await waits until the file has been sent as far as it may be.
func (f *counted) await() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.at < f.stop {
		f.changed.Wait()
	}
}

// check wants that less than the part was sent again that each kill has cut off.
func (f *counted) check(t *testing.T, p *parts) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.offsets) != 4 {
		t.Fatalf("it was read from %d on", f.offsets)
	}
	for i, offset := range f.offsets[1:] {
		stop := int64(i+1)*f.size/4 + 1<<20 + 8
		if again := stop - offset; again < 0 || again >= p.sizes[offset] {
			t.Errorf("killed at %d, it goes on at %d, where a part of %d begins", stop, offset, p.sizes[offset])
		}
	}
	t.Logf("%d octets were sent of a file of %d, from %d on; the largest of %d parts has %d", f.sent, f.size, f.offsets, len(p.sizes), p.most)
	if f.sent <= f.size || f.sent >= f.size+3*p.most {
		t.Errorf("%d octets were sent of a file of %d", f.sent, f.size)
	}
}

// has tells whether all is stored that can be of what comes before an octet. A part is larger
// than the one before it by less than a hundredth.
func (p *parts) has(stop int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stored > 0 && p.stored+p.last+p.last/100 > stop
}

// check wants the object, whole and with its time, and nothing else.
func (p *parts) check(t *testing.T, url string, size int64) {
	t.Helper()
	p.mu.Lock()
	if len(p.wrong) > 0 || len(p.open) > 0 || p.stored != size {
		t.Errorf("%d octets are stored; wrong are %q; not ended are %v", p.stored, p.wrong, p.open)
	}
	p.mu.Unlock()
	res, err := http.Head(url + "/bucket/new/large")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	const mod = "1612325106" // 2021-02-03 04:05:06
	if got := res.Header.Get("X-Amz-Meta-Mtime"); res.ContentLength != size || got != mod {
		t.Errorf("%s: %d octets of the time %s, want %d of %s", res.Status, res.ContentLength, got, size, mod)
	}
	list, err := http.Get(url + "/bucket?list-type=2")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Body.Close()
	text, err := io.ReadAll(list.Body)
	if err != nil || strings.Count(string(text), "<Key>") != 1 {
		t.Errorf("%v: there are %s", err, text)
	}
}
