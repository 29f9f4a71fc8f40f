package transport

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// counted counts what is written to a connection at once.
type counted struct {
	net.Conn
	writes *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// TestSmallBodyGoesWithItsHeaders: in one piece, whatever kind of reader it is.
func TestSmallBodyGoesWithItsHeaders(t *testing.T) {
	for size, want := range map[int]int64{1: 1, smallBody: 1, smallBody + 1: 2} {
		content := strings.Repeat("x", size)
		tr := over(t, func(req *http.Request, conn net.Conn) {
			if got, err := io.ReadAll(req.Body); err != nil || string(got) != content {
				t.Errorf("%d octets arrived of %d, %v", len(got), size, err)
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		var writes atomic.Int64
		dial := tr.next.DialContext
		tr.next.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return counted{conn, &writes}, err
		}
		req := request(t, http.MethodPut, iotest.OneByteReader(strings.NewReader(content)))
		req.ContentLength = int64(size)
		res, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := writes.Load(); want == 1 && got != 1 || got < want {
			t.Errorf("%d octets: %d pieces, want %d", size, got, want)
		}
	}
}

// closing notes that it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestBodyThatFailsIsNotSent: neither one that breaks nor one that is shorter or longer than
// said.
func TestBodyThatFailsIsNotSent(t *testing.T) {
	for want, octets := range map[error]io.Reader{
		fs.ErrClosed:        iotest.ErrReader(fs.ErrClosed),
		io.ErrUnexpectedEOF: strings.NewReader("0123456"),
		errLonger:           strings.NewReader("012345678"),
	} {
		tr := over(t, func(*http.Request, net.Conn) { t.Error("a request was sent") })
		body := &closing{Reader: octets}
		req := request(t, http.MethodPut, body)
		req.ContentLength = 8
		if _, err := tr.RoundTrip(req); !errors.Is(err, want) || !body.closed { //nolint:bodyclose // there is no answer
			t.Errorf("got %v, closed %t; want %v", err, body.closed, want)
		}
	}
}

// TestSmallBodyGoesOutAgain: where the server has closed a connection that was kept, and so
// has seen nothing of the request.
func TestSmallBodyGoesOutAgain(t *testing.T) {
	const content = "content"
	out := request(t, http.MethodPut, iotest.OneByteReader(strings.NewReader(content)))
	out.ContentLength = int64(len(content))
	if err := gather(out); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if out.GetBody == nil {
			t.Fatal("the body can be sent once only")
		}
		again, err := out.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(again); string(got) != content || err != nil {
			t.Errorf("sent %q, %v", got, err)
		}
	}
}
