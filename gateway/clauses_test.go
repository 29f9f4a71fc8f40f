package gateway

import (
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/backends/backendtest"
	"causeway/backends/mem"
)

// TestS12_CutOffUploadNeverShows cuts uploads off in each way that a client, or its line,
// has, onto a new name and onto one that is taken.
func TestS12_CutOffUploadNeverShows(t *testing.T) {
	t.Parallel()
	for how, cut := range map[string]func(c *client, data net.Conn){
		"control connection ends": func(c *client, data net.Conn) {
			c.conn.Close()
			data.Close()
		},
		"data connection is reset": func(c *client, data net.Conn) {
			if err := data.(*net.TCPConn).SetLinger(0); err != nil {
				c.t.Fatal(err)
			}
			data.Close()
			c.expect(426)
		},
		"ABOR": func(c *client, data net.Conn) {
			c.do(426, "ABOR")
			c.expect(226) // to ABOR itself
			data.Close()
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			r := start(t, nil)
			for _, name := range []string{"new", "old"} {
				c := dial(t, r.explicit, nil)
				c.login("cam1", password)
				if name == "old" {
					c.upload("old", "as it was")
				}
				data := c.data("STOR " + name)
				if _, err := io.WriteString(data, strings.Repeat("half of it", 100_000)); err != nil {
					t.Fatal(err)
				}
				cut(c, data)
			}
			r.stop()
			if err := <-r.result; err != nil { // now all that was to happen has happened
				t.Errorf("Run: %v", err)
			}
			close(r.result)
			if on, err := os.ReadFile(filepath.Join(r.dir, "cams/old")); err != nil || string(on) != "as it was" {
				t.Errorf("on disk: %d octets, %v", len(on), err)
			}
			if _, err := os.Stat(filepath.Join(r.dir, "cams/new")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the new name: %v", err)
			}
			if strings.Count(r.log.String(), `"done":"stored"`) != 1 {
				t.Error("the log says that a cut-off upload was stored")
			}
		})
	}
}

func TestS25_X4_SizeIsWhatRetrWouldSend(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	for _, content := range []string{"", "one\r\ntwo\r\n", strings.Repeat("x", 1<<20+1)} {
		c.upload("f", content)
		if size, got := c.do(213, "SIZE f"), c.download("RETR f"); size != fmt.Sprint(len(got)) || got != content {
			t.Errorf("SIZE %s, RETR %d octets of %d", size, len(got), len(content))
		}
	}
	c.do(200, "TYPE A")
	c.do(550, "SIZE f")
}

// TestS26_ChecksumsAreKeptOrReadOnce counts how often the store is read.
func TestS26_ChecksumsAreKeptOrReadOnce(t *testing.T) {
	t.Parallel()
	store := backendtest.NewRecorder(mem.New(mem.Options{}))
	r := startOn(t, store)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	content := strings.Repeat("twelve bytes", 1000)
	c.upload("f", content)
	for _, q := range []struct {
		command string
		code    int
		want    string
		reads   int
	}{
		{"XMD5 f", 250, fmt.Sprintf("%x", md5.Sum([]byte(content))), 0},
		{"XSHA256 f", 250, fmt.Sprintf("%x", sha256.Sum256([]byte(content))), 1},
		{"HASH f", 213, fmt.Sprintf("SHA-256 0-11999 %x /f", sha256.Sum256([]byte(content))), 1},
	} {
		store.Take()
		got := c.do(q.code, q.command)
		reads := slices.DeleteFunc(store.Take(), func(call string) bool { return !strings.HasPrefix(call, "open") })
		if got != q.want || len(reads) != q.reads {
			t.Errorf("%s: %q, want %q; %d reads, want %d", q.command, got, q.want, len(reads), q.reads)
		}
	}
}
