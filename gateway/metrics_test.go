package gateway

import (
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"causeway/gateway/ftp"
)

// series are the samples of one metric, with their labels.
func series(text, name string) []string {
	return regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? .*$`).FindAllString(text, -1)
}

// TestMetricsTellWhatHappened on a gateway that was used in most of its ways.
func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	r := start(t, watched)
	tour(t, r, dial(t, r.explicit, nil))
	c := dial(t, r.explicit, nil)
	c.do(331, "USER cam1")
	c.do(530, "PASS canary-wrong")
	c.login("cam1", password)
	conn := c.data("STOR half.bin")
	if _, err := io.WriteString(conn, "half"); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(c.do(211, "STAT"), "(4 bytes)") {
		runtime.Gosched()
	}
	c.do(426, "ABOR")
	c.expect(226)
	conn.Close()
	c.do(350, "REST 4")
	conn = c.data("STOR half.bin")
	conn.Close()
	c.expect(226)
	_, text := r.ask(t, "GET", "/metrics")
	for _, want := range []string{
		`causeway_sessions_total 2`, `causeway_sessions_refused_total 0`,
		`causeway_logins_total{result="ok"} 2`, `causeway_logins_total{result="refused"} 1`, `causeway_logins_total{result="limited"} 0`, `causeway_logins_total{result="unavailable"} 0`,
		`causeway_command_duration_seconds_count{class="5xx",verb="PASS"} 1`, `causeway_command_duration_seconds_count{class="2xx",verb="DELE"} 1`,
		`causeway_transfers_total{end="stored",verb="STOR"} 2`, `causeway_transfers_total{end="parked",verb="STOR"} 1`,
		`causeway_transfers_total{end="sent",verb="RETR"} 1`, `causeway_transfers_total{end="sent",verb="MLSD"} 1`,
		`causeway_transfer_bytes_total{direction="in"} 600004`,
		`causeway_store_request_duration_seconds_count{kind="ok",operation="commit",store="disk"} 3`,
		`causeway_store_request_duration_seconds_count{kind="ok",operation="park",store="disk"} 1`,
		`causeway_store_request_duration_seconds_count{kind="ok",operation="resume",store="disk"} 1`,
		`causeway_uploads_resumed_total 1`, `causeway_store_retries_total{store="disk"} 0`,
		`causeway_logins_throttled_total 0`, `causeway_bans_total 0`, `causeway_connections_banned_total 0`, `causeway_banned_addresses 0`,
		`causeway_buffers_used_bytes 0`, `causeway_buffers_capacity_bytes 2.68435456e+08`, `causeway_spool_capacity_bytes 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	for _, name := range []string{"causeway_sessions", "causeway_cache_hits_total", "causeway_cache_misses_total", "causeway_cache_entries", "process_open_fds", "go_goroutines"} {
		if len(series(text, name)) != 1 {
			t.Errorf("no %s", name)
		}
	}
	if t.Failed() {
		t.Log(strings.Join(regexp.MustCompile(`(?m)^causeway_.*$`).FindAllString(text, -1), "\n"))
	}
}

// TestO11_LabelsAreBounded: nothing that a client can choose becomes a label, however many
// users, names and verbs it makes up.
func TestO11_LabelsAreBounded(t *testing.T) {
	m := newMetrics()
	o := newObserver(nil, m)
	p, err := ftp.Path{}.Join("/intruder")
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		o.Login(ftp.LoginEvent{Client: ftp.Client{User: "intruder"}, Err: ftp.ErrLogin})
		o.Command(ftp.CommandEvent{Client: ftp.Client{User: "intruder"}, Path: p, From: p, Code: 500})
	}
	r := start(t, watched)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	for _, line := range []string{"INTRUDER 1", "INTRUDER 2", "INTRUDE", "\x01\x02"} {
		c.do(500, line)
	}
	c.upload("intruder.bin", "x")
	c.do(350, "RNFR intruder.bin")
	c.do(250, "RNTO intruder2.bin")
	for range 20 {
		c.do(550, "DELE intruder-none")
	}
	_, text := r.ask(t, "GET", "/metrics")
	if strings.Contains(strings.ToLower(text), "intrud") || strings.Contains(text, "cam1") || strings.Contains(text, "127.0.0.1") {
		t.Errorf("a client's words are in\n%s", text)
	}
	if got := series(text, `causeway_command_duration_seconds_count\{class="5xx",verb="other"\}`); len(got) != 1 || !strings.HasSuffix(got[0], " 4") {
		t.Errorf("unknown verbs: %v", got)
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if n := len(f.GetMetric()); strings.HasPrefix(f.GetName(), "causeway_") && n > 5 {
			t.Errorf("%s has %d series", f.GetName(), n)
		}
	}
}
