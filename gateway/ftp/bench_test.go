package ftp

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"testing"
)

// BenchmarkPump is the inner loop of every transfer. Budget: no allocation, and 1 GB/s with the
// checksum on one core.
func BenchmarkPump(b *testing.B) {
	s, err := NewServer(testConfig(newFakeFS()))
	if err != nil {
		b.Fatal(err)
	}
	t := &transfer{server: s}
	content := make([]byte, 1<<20)
	r := bytes.NewReader(content)
	dst := &countingFlow{}
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(content)
		if readErr, writeErr := t.pump(b.Context(), dst, r, unbounded{}.Receive); !atEnd(readErr) || writeErr != nil {
			b.Fatal(readErr, writeErr)
		}
	}
}

// BenchmarkCommand is a command and its reply on an idle session, over a pipe. Budget:
// 15 allocations, most of them the log's and the pipe's.
func BenchmarkCommand(b *testing.B) {
	s, err := NewServer(testConfig(newFakeFS()))
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	ses := newSession(s, theirs, theirs.LocalAddr(), ListenOptions{})
	go func() {
		defer close(done)
		for ses.serve(b.Context()) {
		}
	}()
	reply := make([]byte, 256)
	if _, err := ours.Read(reply); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(ours, "NOOP\r\n"); err != nil {
			b.Fatal(err)
		}
		if _, err := ours.Read(reply); err != nil {
			b.Fatal(err)
		}
	}
	ours.Close()
	<-done
}

// BenchmarkIdleSession tells what a logged-in session costs that waits for a command, in
// octets of heap and stack. Budget: one goroutine, 12 KiB in clear, 32 KiB under TLS.
func BenchmarkIdleSession(b *testing.B) {
	b.Run("clear", func(b *testing.B) { benchmarkIdle(b, testConfig(newFakeFS()), (*client).login) })
	secure := testConfig(newFakeFS())
	secure.TLS = testTLS(b)
	b.Run("tls", func(b *testing.B) {
		benchmarkIdle(b, secure, func(c *client) *client { return c.private(clientTLS(tls.VersionTLS13)) })
	})
}

func benchmarkIdle(b *testing.B, config Config, login func(*client) *client) {
	const sessions = 200
	config.Limits.SessionsPerAddress = sessions
	for b.Loop() {
		s, addr := serveTCP(b, config, ListenOptions{})
		octets, goroutines := footprint()
		clients := make([]net.Conn, sessions)
		for i := range clients {
			clients[i] = login(dialClient(b, addr)).raw
		}
		more, running := footprint()
		b.ReportMetric(float64(more-octets)/sessions, "B/session")
		b.ReportMetric(float64(running-goroutines)/sessions, "goroutines/session")
		for _, c := range clients {
			c.Close()
		}
		if err := s.Shutdown(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// footprint is the memory in use, in octets, and the number of goroutines.
func footprint() (octets int64, goroutines int) {
	runtime.GC()
	runtime.GC() // what the first has put aside in pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}
