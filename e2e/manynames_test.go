//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"causeway/e2e/bench/nulls3"
)

// names is a tree of so many small files that nobody has made: in one directory, or in
// others below it with perDir each.
type names struct{ count, perDir int }

func (n names) path(i int) string {
	if n.perDir == 0 {
		return nulls3.Name(i)
	}
	return fmt.Sprintf("%05d/%s", i/n.perDir, nulls3.Name(i))
}

// content is that of the file with a name.
func (n names) content(name string) string { return name + "\n" }

// list is the listing of a directory, in no order that helps.
func (n names) list(dir string, w *bufio.Writer) {
	first, count := 0, n.count
	switch {
	case n.perDir > 0 && dir == "/":
		for i := range n.count / n.perDir {
			fmt.Fprintf(w, "modify=20210203040506;type=dir; %05d\r\n", n.count/n.perDir-1-i)
		}
		return
	case n.perDir > 0:
		number, _ := strconv.Atoi(strings.Trim(dir, "/"))
		first, count = number*n.perDir, n.perDir
	}
	for i := range count {
		name := nulls3.Name(first + (count - 1 - i))
		fmt.Fprintf(w, "modify=20210203040506;size=%d;type=file; %s\r\n", len(n.content(name)), name)
	}
}

// serveFTP answers as an old server that has all names, until the test ends.
func (n names) serveFTP(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { n.session(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		sessions.Wait() // whose clients have ended
	})
	return l.Addr().String()
}

// session serves one control connection.
func (n names) session(control net.Conn) {
	defer control.Close()
	data, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	defer data.Close()
	replies := map[string]string{
		"USER": "331 Password", "PASS": "230 Welcome", "CWD": "250 Changed", "OPTS": "200 Yes", "TYPE": "200 Yes", "NOOP": "200 Yes",
		"FEAT": "211-Features:\r\n MLST modify*;size*;type*;\r\n SIZE\r\n MDTM\r\n REST STREAM\r\n UTF8\r\n211 End",
		"EPSV": fmt.Sprintf("229 Passive (|||%d|)", data.Addr().(*net.TCPAddr).Port),
	}
	fmt.Fprint(control, "220 Old server\r\n")
	dir, lines := "/", bufio.NewScanner(control)
	for lines.Scan() {
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		reply, known := replies[verb]
		switch {
		case verb == "CWD":
			dir = arg
		case verb == "MLSD", verb == "RETR":
			fmt.Fprint(control, "150 Here it comes\r\n")
			if reply = "226 Done"; n.send(data, verb, dir, arg) != nil {
				reply = "426 Cut off"
			}
		case verb == "MLST":
			reply = fmt.Sprintf("250-It is\r\n modify=20210203040506;size=%d;type=file; %s\r\n250 End", len(n.content(nulls3.Name(0))), arg)
		case verb == "QUIT":
			fmt.Fprint(control, "221 Bye\r\n")
			return
		case !known:
			reply = "502 Not known here"
		}
		fmt.Fprint(control, reply, "\r\n")
	}
}

// send sends a listing, or a file, on the next data connection.
func (n names) send(data net.Listener, verb, dir, arg string) error {
	conn, err := data.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	w := bufio.NewWriter(conn)
	if verb == "MLSD" {
		n.list(dir, w)
	} else {
		fmt.Fprint(w, n.content(arg[strings.LastIndexByte(arg, '/')+1:]))
	}
	return w.Flush()
}

// taker is an S3 server that takes each of the names once, with its content, and keeps a bit
// for it.
type taker struct {
	names
	prefix string // "/BUCKET/" and that of the keys

	mu    sync.Mutex
	taken []bool
	count int
	odd   []string // what came beside, or again; the first of it
}

func (s *taker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.take(strings.TrimPrefix(r.URL.Path, s.prefix), string(body))
		w.Header().Set("ETag", `"1"`)
	case http.MethodGet:
		nulls3.ServeList(w, r, func(string) iter.Seq[nulls3.Item] { return func(func(nulls3.Item) bool) {} })
	default:
		http.Error(w, "there is nothing", http.StatusNotFound)
	}
}

// taking is how many have come.
func (s *taker) taking() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *taker) take(path, content string) {
	name := path[strings.LastIndexByte(path, '/')+1:]
	i, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, "IMG_20261122_"), ".jpg"))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case name == "" && content == "": // a directory
	case err == nil && i < len(s.taken) && !s.taken[i] && path == s.path(i) && content == s.content(name):
		s.taken[i], s.count = true, s.count+1
	case len(s.odd) < 10:
		s.odd = append(s.odd, path)
	}
}
