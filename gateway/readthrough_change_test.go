package gateway

import (
	"net/http"
	"strings"
	"testing"

	"causeway/configs"
)

// TestS30_RenameReadThrough: what is only behind is renamed too, comes back under neither name it
// has lost, and RNTO fails if it was replaced since RNFR.
func TestS30_RenameReadThrough(t *testing.T) {
	t.Parallel()
	old := map[string]string{"f": "old", "g": "old", "h": "old", "t": "taken"}
	eachReadThrough(t, configs.Behind{}, old, func(t *testing.T, r *readThrough) {
		c, other := r.session(t), r.session(t)
		c.do(350, "RNFR f")
		c.do(250, "RNTO f2")
		c.do(350, "RNFR f2")
		c.do(250, "RNTO f3")
		c.upload("g", "here")
		c.do(350, "RNFR g")
		c.do(250, "RNTO t")
		if got := c.list("NLST"); got != "f3 h public t" {
			t.Errorf("listed: %s", got)
		}
		if got := c.download("RETR f3") + c.download("RETR t"); got != "oldhere" {
			t.Errorf("read: %s", got)
		}
		for _, name := range []string{"f", "f2", "g"} {
			c.do(550, "SIZE "+name)
		}
		c.do(350, "RNFR h")
		other.upload("h", "replaced")
		c.do(450, "RNTO h2")
		if got := c.download("RETR h"); got != "replaced" {
			t.Errorf("h: %s", got)
		}
		for _, key := range []string{"users/f", "users/g", "users/t"} {
			if !has(t, r.behind, key) {
				t.Errorf("%s has gone from behind", key)
			}
		}
	})
}

// TestS31_RenameOfADirectoryReadThrough moves what is here and what is behind, and nothing of it
// stays under the old name.
func TestS31_RenameOfADirectoryReadThrough(t *testing.T) {
	t.Parallel()
	old := map[string]string{"d/": "", "d/a": "old a", "d/e/": "", "d/e/b": "old b", "x": "1"}
	eachReadThrough(t, configs.Behind{}, old, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		c.upload("d/here", "new")
		c.upload("d/e/b", "newer b")
		c.do(350, "RNFR d")
		c.do(250, "RNTO d2")
		if got := c.list("NLST"); got != "d2 public x" {
			t.Errorf("listed: %s", got)
		}
		if got := c.list("NLST d2"); got != "d2/a d2/e d2/here" {
			t.Errorf("below: %s", got)
		}
		if got := c.download("RETR d2/a") + ", " + c.download("RETR d2/e/b") + ", " + c.download("RETR d2/here"); got != "old a, newer b, new" {
			t.Errorf("read: %s", got)
		}
		c.do(550, "CWD d")
		c.do(257, "MKD d")
		if got := c.list("NLST d"); got != "" {
			t.Errorf("made again it holds %s", got)
		}
	})
}

// TestS32_DeleteReadThrough: what is deleted here does not come back from behind, nor does what
// is in a directory that is made again; what is there stays there.
func TestS32_DeleteReadThrough(t *testing.T) {
	t.Parallel()
	old := map[string]string{"f": "old", "g": "old", "d/": "", "d/a": "1", "e/": ""}
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, old, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		c.do(250, "DELE f")
		c.do(550, "DELE f")
		c.refused(550, "RETR f")
		c.download("RETR g") // which has copied it
		c.do(250, "DELE g")
		c.do(550, "SIZE g")
		c.do(550, "DELE d")
		c.do(550, "RMD d") // there is something in it
		c.do(250, "DELE d/a")
		c.do(250, "RMD d")
		c.do(550, "RMD d")
		c.do(250, "RMD e")
		if got := c.list("NLST"); got != "public" {
			t.Errorf("listed: %s", got)
		}
		c.do(257, "MKD d")
		if got := c.list("NLST d"); got != "" {
			t.Errorf("made again it holds %s", got)
		}
		c.upload("f", "new")
		if got := c.download("RETR f"); got != "new" {
			t.Errorf("written again: %s", got)
		}
		c.do(250, "DELE f")
		c.do(550, "SIZE f")
		for _, key := range []string{"users/f", "users/g", "users/d/a"} {
			if !has(t, r.behind, key) {
				t.Errorf("%s has gone from behind", key)
			}
		}
	})
}

// TestReadThroughWhileTheOldServerIsDown: what is here goes on, the rest gets 450 or 451, and the log
// and the metrics say so. Nothing is listed that is not whole.
func TestReadThroughWhileTheOldServerIsDown(t *testing.T) {
	t.Parallel()
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, map[string]string{"f": "old", "g": "old"}, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		c.upload("here", "1")
		c.upload("d/here", "3")
		c.download("RETR f")
		r.down()
		if got := c.download("RETR here") + c.download("RETR f"); got != "1old" {
			t.Errorf("read: %s", got)
		}
		c.do(213, "SIZE here")
		c.do(450, "SIZE g")
		c.refused(450, "RETR g")
		c.refused(451, "NLST") // as where the store itself fails
		c.upload("new", "2")
		c.do(250, "DELE here") // whatever is behind is hidden
		c.do(250, "CWD d")
		if got := c.download("RETR here"); got != "3" {
			t.Errorf("read in a directory: %s", got)
		}
		c.do(250, "DELE here")
		c.do(250, "CWD ../d") // it stays
		c.do(450, "CWD ../there")
		c.do(250, "CWD /")
		r.old.Clear()
		if got := c.list("NLST"); got != "d f g new public" {
			t.Errorf("up again: %s", got)
		}
		if !strings.Contains(r.log.String(), `"msg":"what is behind does not answer"`) {
			t.Error("the log does not say so")
		}
		_, text := r.ask(t, http.MethodGet, "/metrics")
		for _, series := range []string{
			`causeway_behind_unavailable_total{behind="old",store="disk"} `,
			`causeway_behind_copies_total{behind="old",result="ok",store="disk"} 1`,
			`causeway_behind_reads_total{behind="old",store="disk"} 1`,
			`causeway_behind_mirror_queue{store="disk"} 0`,
		} {
			if !strings.Contains(text, series) {
				t.Errorf("no %s in the metrics", series)
			}
		}
	})
}

// TestReadThroughQuota counts what is here: not what is behind, until it is copied.
func TestReadThroughQuota(t *testing.T) {
	t.Parallel()
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, map[string]string{"f": "12345", "g": "1234567890"}, func(t *testing.T, r *readThrough) {
		next := *r.cfg
		next.Users = append([]configs.User{}, next.Users...)
		next.Users[0].Mounts = append([]configs.Mount{}, next.Users[0].Mounts...)
		next.Users[0].Mounts[0].Quota = configs.Quota{Bytes: 8}
		if err := r.Reload(t.Context(), &next); err != nil {
			t.Fatal(err)
		}
		c := r.session(t)
		c.upload("a", "123")
		c.download("RETR f")
		if !has(t, r.front, "home/f") {
			t.Error("what fits was not copied")
		}
		if got := c.download("RETR g"); got != "1234567890" {
			t.Errorf("read: %s", got)
		}
		if has(t, r.front, "home/g") {
			t.Error("what does not fit was copied")
		}
		c.do(250, "DELE g")
		data := c.data("STOR b")
		if _, err := data.Write([]byte("1")); err != nil {
			t.Fatal(err)
		}
		data.Close()
		c.expect(552)
		c.do(250, "DELE f")
		c.upload("b", "12345")
	})
}
