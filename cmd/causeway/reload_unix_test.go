//go:build unix

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestHangupReloads: at SIGHUP the configuration is read again; a wrong one is told, and
// stays without effect.
func TestHangupReloads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "causeway.yaml")
	text := "listeners: [{address: \"127.0.0.1:0\"}]\nstores: {disk: {kind: localdir, path: data}}\n" +
		"anonymous: {mounts: [{path: /, store: disk}]}\nlog: {level: info}\n"
	log := &screen{seen: make(chan struct{}), want: `"msg":"listening"`}
	result := make(chan int, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text)
	go func() { result <- run(ctx, console{stdout: io.Discard, stderr: log}, []string{"serve", "-c", path}) }()
	<-log.seen
	for _, step := range []struct{ text, want string }{
		{strings.Replace(text, "path: /", "pth: /", 1), `the configuration is wrong; the old one stays","err":"wrong configuration: | ` + path + `:3: anonymous.mounts[0].pth: unknown key`},
		{text + "cache: {ttl: 9s}\n", `"key":"cache.ttl"`},
		{strings.Replace(text, "level: info", "level: error", 1), `configuration was read again","changed":"[log.level]"`},
		{strings.Replace(text, "path: /", "pth: /", 1), `{"time"`},
	} {
		write(step.text)
		seen := log.await(step.want)
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		<-seen
	}
	stop()
	if code := <-result; code != exitOK {
		t.Errorf("code %d: %s", code, log)
	}
	if strings.Contains(log.String(), `"msg":"draining"`) {
		t.Errorf("the level has not changed: %s", log)
	}
}
