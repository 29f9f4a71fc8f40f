//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// resumer is a program that goes on with an upload.
type resumer struct {
	name   string
	resume func(s site, local, remote string) error
}

// resumers: curl asks for the SIZE and sends APPE, lftp asks and sends REST and STOR.
// NcFTP 3.2.6 is not among them: `ncftpput -z` sends REST with the right offset, and after
// it all of the file from its beginning.
func resumers() []resumer {
	return []resumer{
		{"curl", func(s site, local, remote string) error {
			return second(s.run(curl{}.args(s, "-C", "-", "-T", local, curl{}.url(s, remote))))
		}},
		{"lftp", func(s site, local, remote string) error {
			return second(lftp{}.do(s, "put", "-c", local, "-o", remote))
		}},
	}
}

// breaks are what cuts an upload off. Each returns the gateway that is there then.
var breaks = []struct {
	name string
	do   func(r *resuming) *gateway
}{
	{"client is killed", func(r *resuming) *gateway { r.killClient(); return r.gate }},
	{"client is killed, another gateway", func(r *resuming) *gateway { r.killClient(); return r.start() }},
	{"gateway gets SIGTERM", func(r *resuming) *gateway {
		if code := r.gate.interrupt(r.t, syscall.SIGTERM); code != 0 {
			r.t.Errorf("exit code %d", code)
		}
		r.killClient()
		return r.start()
	}},
	{"gateway is killed", func(r *resuming) *gateway { r.gate.kill(r.t); r.killClient(); return r.start() }},
}

// resuming is one upload by a real client that is cut off and gone on with by the same one.
type resuming struct {
	t      *testing.T
	bucket *namedBucket
	gate   *gateway
	client *exec.Cmd
	local  string // the file
	name   string
	whole  []byte
}

// S13, S14, S50: real clients go on with what they began, whoever was killed.
func TestS13_S14_S50_RealClientsResume(t *testing.T) {
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		for i, brk := range breaks {
			for j, by := range resumers() {
				if os.Getenv("CAUSEWAY_KILLS") != "all" && i > 0 && i%2 != j {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%s", b.kind, brk.name, by.name), func(t *testing.T) {
					t.Parallel()
					r := &resuming{t: t, bucket: b, name: random(8) + ".bin"}
					r.gate = r.start()
					r.whole = content(40 << 20)
					r.local = filepath.Join(t.TempDir(), r.name)
					if err := os.WriteFile(r.local, r.whole, 0o600); err != nil {
						t.Fatal(err)
					}
					r.upload(20 << 20)
					g := brk.do(r)
					r.goOn(g, by)
				})
			}
		}
	}
}

func (r *resuming) start() *gateway {
	r.t.Helper()
	return start(r.t, setup{plain4: true, limits: ", drain_timeout: 1s", accounts: []account{{name: user, store: r.bucket}}})
}

func (r *resuming) site(g *gateway) site {
	r.t.Helper()
	s, err := newSite(g.address(false, false), mode{tls: "plain"}, user, filepath.Join(r.t.TempDir(), "home"))
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// upload has curl send the first octets and wait for more. A part of them is in the store
// when it returns.
func (r *resuming) upload(octets int) {
	r.t.Helper()
	s := r.site(r.gate)
	argv := curl{}.args(s, "-T", "-", curl{}.url(s, "/"+r.name)).argv
	r.client = exec.Command(argv[0], argv[1:]...)
	stdin, err := r.client.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.client.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = r.client.Process.Kill() })
	if _, err := stdin.Write(r.whole[:octets]); err != nil {
		r.t.Fatal(err)
	}
	other := r.start().session(r.t) // which sees what of it is durable
	err = poll(r.t.Context(), patience, func() error {
		if said := other.do("SIZE "+r.name, "213", "550"); said.code != "213" || said.lines[0] == "213 0" {
			return fmt.Errorf("nothing is stored of %s: %s", r.name, said)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *resuming) killClient() {
	r.t.Helper()
	if err := r.client.Process.Kill(); err != nil {
		r.t.Fatal(err)
	}
	_ = r.client.Wait() // it was killed
	select {
	case <-r.gate.exited:
	default:
		r.gate.awaitEnd(r.t, "/"+r.name)
	}
}

// goOn has a client resume, and wants the file whole, and by resuming.
func (r *resuming) goOn(g *gateway, by resumer) {
	r.t.Helper()
	r.bucket.lacks(r.t, r.name)
	if err := by.resume(r.site(g), r.local, "/"+r.name); err != nil {
		r.t.Fatal(err)
	}
	r.bucket.holds(r.t, r.name, r.whole)
	done, err := g.log.await(func(one record) bool {
		return one["msg"] == "transfer" && one.text("path") == "/"+r.name && one.text("done") == "stored"
	}, 0, g.exited)
	if err != nil {
		r.t.Fatal(err)
	}
	if sent := done["bytes"].(float64); sent >= float64(len(r.whole)) || sent == 0 {
		r.t.Errorf("%s has sent all of the file again: %v octets", by.name, sent)
	}
	r.t.Logf("%s sends %.0f of %d octets", by.name, done["bytes"], len(r.whole))
}
