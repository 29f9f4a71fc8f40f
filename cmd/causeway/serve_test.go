package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestS50_ServeEndsWithSuccess: a signal, which ends the context, is not an error, though a
// client is still connected.
func TestS50_ServeEndsWithSuccess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "causeway.yaml")
	text := "listeners: [{address: \"127.0.0.1:0\"}]\nstores: {disk: {kind: localdir, path: data}}\n" +
		"anonymous: {mounts: [{path: /, store: disk}]}\nuploads: {grace: 250ms, resume_window: 1h}\nlimits: {drain_timeout: 0s}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	log := &screen{seen: make(chan struct{}), want: `"msg":"listening"`}
	var out bytes.Buffer
	result := make(chan int, 1)
	go func() { result <- run(ctx, console{stdout: &out, stderr: log}, []string{"serve", "-c", path}) }()
	select {
	case <-log.seen:
	case code := <-result:
		t.Fatalf("ended with %d: %s", code, log)
	}
	address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(log.String())[1]
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	stop()
	if code := <-result; code != exitOK || out.Len() > 0 {
		t.Errorf("code %d, %q, %s", code, &out, log)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection: %v", err)
	}
}
