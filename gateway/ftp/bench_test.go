package ftp

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// BenchmarkPump is the inner loop of every transfer. Budget: no allocation, and the speed
// of copying memory.
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
		if readErr, writeErr := t.pump(dst, r); !atEnd(readErr) || writeErr != nil {
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
		ses.serve(b.Context())
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
