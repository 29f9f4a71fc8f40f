package transport

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// over is a Transport whose every connection is served by serve, in memory.
func over(t *testing.T, serve func(*http.Request, net.Conn)) *Transport {
	tr := New()
	tr.next.DialContext = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			req, err := http.ReadRequest(bufio.NewReader(server))
			if err == nil {
				serve(req, server)
			}
		}()
		return client, nil
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// hang serves until the client goes away.
func hang(_ *http.Request, conn net.Conn) {
	_, _ = io.Copy(io.Discard, conn)
}

func request(t *testing.T, method string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), method, "http://store.test/", body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// slowly gives one octet every interval.
type slowly struct {
	left     int
	interval time.Duration
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.interval) // time is synctest's
	s.left--
	p[0] = 'x'
	return 1, nil
}

func TestRequestWithoutAnswerEnds(t *testing.T) {
	tests := []struct {
		method string
		body   io.Reader
		within time.Duration
	}{
		{http.MethodGet, nil, answerLimit},
		{http.MethodHead, nil, answerLimit},
		{http.MethodDelete, nil, answerLimit},
		{http.MethodPost, nil, stallLimit}, // composing takes its time
		{http.MethodPut, strings.NewReader("content"), stallLimit},
	}
	for _, test := range tests {
		t.Run(test.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, err := over(t, hang).RoundTrip(request(t, test.method, test.body)) //nolint:bodyclose // there is no answer
				if !errors.Is(err, ErrStalled) || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("got %v, want ErrStalled", err)
				}
				if took := time.Since(start); took != test.within {
					t.Errorf("ended after %v, want %v", took, test.within)
				}
			})
		})
	}
}

func TestPatientWaitsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := over(t, hang).Patient(time.Hour).RoundTrip(request(t, http.MethodGet, nil)) //nolint:bodyclose // there is no answer
		if took := time.Since(start); !errors.Is(err, ErrStalled) || took != time.Hour {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestRequestThatIsNotTakenEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := func(req *http.Request, _ net.Conn) { <-t.Context().Done() }
		_, err := over(t, deaf).RoundTrip(request(t, http.MethodPut, strings.NewReader(strings.Repeat("x", 1<<20)))) //nolint:bodyclose // there is no answer
		if !errors.Is(err, ErrStalled) {
			t.Errorf("got %v, want ErrStalled", err)
		}
	})
}

func TestSlowSenderIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := over(t, func(req *http.Request, conn net.Conn) {
			got, err := io.ReadAll(req.Body)
			if err != nil || len(got) != 20 {
				t.Errorf("server read %d octets, %v", len(got), err)
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
		res, err := tr.RoundTrip(request(t, http.MethodPut, &slowly{left: 20, interval: stallLimit - time.Second}))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	})
}

func TestBodyThatStallsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := over(t, func(_ *http.Request, conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
			time.Sleep(stallLimit - time.Second)
			io.WriteString(conn, "def")
			hang(nil, conn)
		})
		res, err := tr.RoundTrip(request(t, http.MethodGet, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		time.Sleep(time.Hour) // a reader who waits is not a store that stalls
		start := time.Now()
		got, err := io.ReadAll(res.Body)
		if string(got) != "abcdef" || !errors.Is(err, ErrStalled) {
			t.Errorf("read %q, %v", got, err)
		}
		if took := time.Since(start); took != stallLimit {
			t.Errorf("ended after %v, want %v", took, stallLimit)
		}
	})
}

func TestCancelledRequestIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := over(t, hang).RoundTrip(request(t, http.MethodGet, nil).WithContext(ctx)) //nolint:bodyclose // there is no answer
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrStalled) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

// The octets of an answer pass through one more Read and two visits to a timer: less than
// 1 µs for each 32 KiB, which at 1 GiB/s is 3 % of a core.
func BenchmarkReceiving(b *testing.B) {
	w := &watch{ctx: b.Context(), limit: stallLimit, timer: time.NewTimer(time.Hour)}
	body := &receiving{ReadCloser: io.NopCloser(zeros{}), watch: w}
	p := make([]byte, 32<<10)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		if _, err := body.Read(p); err != nil {
			b.Fatal(err)
		}
	}
}

// zeros fills p without touching it.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
