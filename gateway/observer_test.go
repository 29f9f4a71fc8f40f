package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/configs"
	"causeway/gateway/audit"
	"causeway/gateway/ftp"
)

// audited has an audit file written in a folder.
func audited(dir string, format configs.AuditFormat) func(*configs.Config) {
	return func(cfg *configs.Config) {
		cfg.Audit = configs.Audit{File: filepath.Join(dir, "audit.log"), Format: format}
	}
}

// ends waits for the end of the gateway and returns its audit.
func (r *running) ends(t *testing.T, dir string) string {
	t.Helper()
	r.stop()
	if err := <-r.result; err != nil {
		t.Errorf("Run: %v", err)
	}
	close(r.result)
	text, err := os.ReadFile(filepath.Join(dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestS60_AuditTellsWhoDidWhat: a line for each login and file operation of a session, with its
// session, user and end, and none for what only looks.
func TestS60_AuditTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, audited(dir, "json"))
	c := dial(t, r.explicit, nil)
	c.do(331, "USER nobody")
	c.do(530, "PASS canary-wrong")
	tour(t, r, c)
	var got, sessions []string
	transfers := map[string]bool{}
	for line := range strings.Lines(r.ends(t, dir)) {
		if strings.Contains(line, "canary") {
			t.Errorf("a secret is in the audit: %s", line)
		}
		var a struct {
			Event, Session, User, Remote, Verb, From, Path, Result, Done, Transfer, CRC32C string
			Code, Bytes                                                                    int
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got = append(got, strings.Join(strings.Fields(fmt.Sprint(a.Event, " ", a.Verb, " ", a.User, " ", a.From, " ", a.Path, " ", a.Code, " ", a.Result, " ", a.Done)), " "))
		sessions = append(sessions, a.Session)
		if a.Transfer != "" {
			transfers[a.Transfer] = strings.HasPrefix(a.Transfer, a.Session+".") && a.Bytes == 600_000 && a.CRC32C != ""
		}
		if a.Remote != "127.0.0.1" || a.Session != sessions[0] || !strings.Contains(r.log.String(), a.Session) {
			t.Errorf("from %s in %s", a.Remote, a.Session)
		}
	}
	want := []string{
		"login nobody 530 refused", "login cam1 230 ok",
		"file STOR cam1 /x.tmp 226 stored", "file MKD cam1 /in 257", "file RNTO cam1 /x.tmp /in/ü.bin 250",
		"file RETR cam1 /in/ü.bin 226 sent", "file DELE cam1 /in/ü.bin 250", "file RMD cam1 /in 250",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for id, right := range transfers {
		if !right {
			t.Errorf("transfer %s is wrong", id)
		}
	}
	if len(transfers) != 2 {
		t.Errorf("transfers: %v", transfers)
	}
}

func TestS60_AuditAsXferlog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := start(t, audited(dir, configs.XferlogFormat))
	tour(t, r, dial(t, r.explicit, nil))
	var got []string
	for line := range strings.Lines(r.ends(t, dir)) {
		f := strings.Fields(line)
		if len(f) != 18 {
			t.Fatalf("%d fields: %s", len(f), line)
		}
		got = append(got, strings.Join(f[6:], " "))
	}
	want := []string{
		"127.0.0.1 600000 /x.tmp b _ i r cam1 ftp 0 * c", "127.0.0.1 600000 /in/ü.bin b _ o r cam1 ftp 0 * c", "127.0.0.1 0 /in/ü.bin b _ d r cam1 ftp 0 * c",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// TestS52_AuditFileThatCannotBe is refused by start and check alike.
func TestS52_AuditFileThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	cfg := configs.Default()
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: dir}}
	cfg.Audit.File = filepath.Join(dir, "none", "audit.log")
	_, err := New(t.Context(), cfg, NewLog(new(syncBuffer), cfg.Log))
	for _, err := range []error{err, Check(t.Context(), cfg, new(syncBuffer))} {
		var p *configs.Problem
		if !errors.As(err, &p) || p.Field != "audit.file" || !strings.Contains(p.Wrong, "no such file or directory") {
			t.Errorf("got %v", err)
		}
	}
}

func TestLoginResults(t *testing.T) {
	for want, err := range map[string]error{
		loginOK: nil, loginRefused: fmt.Errorf("x: %w", ftp.ErrLogin), loginLimited: fmt.Errorf("x: %w", ftp.ErrSessions), loginUnavailable: ftp.ErrUnavailable,
	} {
		if got := loginResult(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	if o := newObserver(nil, nil); o != nil {
		t.Error("there is an observer where nobody wants to know")
	}
	if string(configs.XferlogFormat) != string(audit.Xferlog) {
		t.Error("the configuration has another word for the format")
	}
}
