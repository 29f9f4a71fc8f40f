package ftpc

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"causeway/e2e/bench/pattern"
)

// script is a server for one client: the lines that it expects, and what it answers. What
// is sent on the data connection after "150" is the exchange's data; what comes is kept.
type script struct {
	greeting  string
	exchanges []exchange
	got       bytes.Buffer // on data connections
}

type exchange struct {
	line, reply string
	data        []byte // sent after 150, before 226; nil receives
}

// serve starts the server. done tells how it ended.
func serve(t *testing.T, s *script) (address string, done <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ended := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			ended <- err
			return
		}
		defer conn.Close()
		ended <- s.talk(conn)
	}()
	return l.Addr().String(), ended
}

func (s *script) talk(conn net.Conn) error {
	fmt.Fprintf(conn, "%s\r\n", s.greeting)
	in := bufio.NewReader(conn)
	var data net.Listener
	for _, x := range s.exchanges {
		line, err := in.ReadString('\n')
		if err != nil || strings.TrimRight(line, "\r\n") != x.line {
			return fmt.Errorf("%q instead of %q: %w", line, x.line, err)
		}
		switch {
		case x.line == "EPSV":
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return err
			}
			_, port, _ := net.SplitHostPort(data.Addr().String())
			fmt.Fprintf(conn, "229 Entering (|||%s|)\r\n", port)
		case strings.HasPrefix(x.reply, "150"):
			if err := s.transfer(conn, data, x); err != nil {
				return err
			}
		default:
			fmt.Fprintf(conn, "%s\r\n", x.reply)
		}
	}
	return nil
}

func (s *script) transfer(conn net.Conn, data net.Listener, x exchange) error {
	defer data.Close()
	d, err := data.Accept()
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Fprintf(conn, "%s\r\n", x.reply)
	if x.data == nil {
		if _, err := io.Copy(&s.got, d); err != nil {
			return err
		}
	} else if _, err := d.Write(x.data); err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	_, err = fmt.Fprint(conn, "226 done\r\n")
	return err
}

// client dials the script and logs in.
func client(t *testing.T, exchanges ...exchange) (*Client, *script, <-chan error) {
	t.Helper()
	login := []exchange{{line: "USER u", reply: "331 password"}, {line: "PASS p", reply: "230-hello\r\n230 in"}, {line: "TYPE I", reply: "200 ok"}}
	s := &script{greeting: "220-several\r\n lines\r\n220 ready", exchanges: append(login, exchanges...)}
	address, done := serve(t, s)
	c, err := Dial(t.Context(), address, Options{Content: pattern.New(), Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login("u", "p"); err != nil {
		t.Fatal(err)
	}
	return c, s, done
}

func ended(t *testing.T, done <-chan error) {
	t.Helper()
	if err := <-done; err != nil {
		t.Error("server:", err)
	}
}

func TestStore(t *testing.T) {
	c, s, done := client(t, exchange{line: "EPSV"}, exchange{line: "STOR f", reply: "150 go"}, exchange{line: "QUIT", reply: "221 bye"})
	const size = bufferSize*5 + 3
	if err := c.Store("f", size); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	ended(t, done)
	if s.got.Len() != size || pattern.New().Check(0, s.got.Bytes()) != nil {
		t.Errorf("%d octets arrived, or wrong ones", s.got.Len())
	}
}

func TestRetrieve(t *testing.T) {
	right := pattern.New().At(0)[:1000]
	wrong := append(bytes.Clone(right[:999]), right[999]^1)
	for _, tt := range []struct {
		name  string
		data  []byte
		check Check
		want  string
	}{
		{"as it should be", right, CheckContent, ""},
		{"another octet", wrong, CheckContent, "wrong content"},
		{"another octet, unseen", wrong, CheckSize, ""},
		{"one too few", right[:999], CheckSize, "999 octets instead of 1000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, done := client(t, exchange{line: "EPSV"}, exchange{line: "RETR f", reply: "150 go", data: tt.data})
			r, err := c.Retrieve("f", 1000, tt.check)
			ended(t, done)
			switch {
			case tt.want == "" && (err != nil || r.Size != 1000 || r.First <= 0):
				t.Errorf("%+v: %v", r, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestList(t *testing.T) {
	c, _, done := client(t, exchange{line: "EPSV"}, exchange{line: "NLST d", reply: "150 go", data: []byte("one\r\ntwo\r\n")})
	var lines []string
	n, err := c.List("NLST d", func(b []byte) { lines = append(lines, string(b)) })
	ended(t, done)
	if err != nil || n != 2 || strings.Join(lines, " ") != "one two" {
		t.Errorf("%d lines %q: %v", n, lines, err)
	}
}

func TestRefusalsAreErrors(t *testing.T) {
	c, _, done := client(t, exchange{line: "EPSV"}, exchange{line: "STOR f", reply: "553 no"})
	err := c.Store("f", 1)
	ended(t, done)
	refused := (*ReplyError)(nil)
	if !errors.As(err, &refused) || refused.Reply != "553 no" || refused.Line != "STOR f" {
		t.Errorf("got %v", err)
	}
}

// TestContextEndsWaiting: a server that says nothing is not waited for.
func TestContextEndsWaiting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
		}
		cancel()
		_, _ = io.Copy(io.Discard, conn)
	}()
	if _, err := Dial(ctx, l.Addr().String(), Options{}); err == nil {
		t.Error("connected to nobody")
	}
}
