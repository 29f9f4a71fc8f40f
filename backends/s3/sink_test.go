package s3

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// sinkVariable makes the test's own binary the store of the benchmarks.
const sinkVariable = "CAUSEWAY_TEST_SINK"

// sink starts a store in a process of its own, which ends with the benchmark, and returns
// its URL. It takes everything and keeps nothing; an object "size-N" has N octets.
func sink(b *testing.B) string {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), program)
	cmd.Env = append(os.Environ(), sinkVariable+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address)
}

// serveSink is the other process. It ends by being killed.
func serveSink() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(swallow))
}

func swallow(w http.ResponseWriter, r *http.Request) {
	p := make([]byte, 256<<10)
	for {
		if _, err := r.Body.Read(p); err == io.EOF {
			break
		} else if err != nil {
			return
		}
	}
	w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
	q := r.URL.Query()
	_, name, _ := strings.Cut(r.URL.Path, "/size-")
	switch size, err := strconv.Atoi(name); {
	case r.Method == http.MethodPost && q.Has("uploads"):
		io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
	case r.Method == http.MethodPost:
		io.WriteString(w, "<CompleteMultipartUploadResult><ETag>0123456789abcdef0123456789abcdef-1</ETag></CompleteMultipartUploadResult>")
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet && err == nil:
		w.Header().Set("Content-Length", name)
		for n := 0; size > 0; size -= n {
			if n, err = w.Write(p[:min(size, len(p))]); err != nil {
				return
			}
		}
	}
}
