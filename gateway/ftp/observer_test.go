package ftp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// witness writes down what an observer is told, one line each.
type witness struct {
	mu       sync.Mutex
	lines    []string
	sessions map[SessionID]bool
	ids      map[string]bool // of transfers
}

func (w *witness) note(c Client, line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sessions == nil {
		w.sessions, w.ids = map[SessionID]bool{}, map[string]bool{}
	}
	w.sessions[c.Session] = true
	w.lines = append(w.lines, line+" user="+c.User+" remote="+c.Remote.String())
}

func (w *witness) Login(e LoginEvent) {
	w.note(e.Client, fmt.Sprintf("login %d %v", e.Code, e.Err))
}

func (w *witness) Command(e CommandEvent) {
	line := fmt.Sprintf("%q %d %s", e.Verb, e.Code, e.Path)
	if e.Changes {
		line += " changes"
	}
	if e.From != (Path{}) {
		line += " from " + e.From.String()
	}
	if x := e.Transfer; x != nil {
		line += fmt.Sprintf(" %s upload=%t ascii=%t %d %08x kept=%d", x.Done, x.Upload, x.ASCII, x.Bytes, x.CRC32C, x.Kept)
	}
	w.note(e.Client, line)
	if x := e.Transfer; x != nil {
		w.ids[x.ID] = strings.HasPrefix(x.ID, e.Session.String()+".")
	}
}

// take returns the lines since the last take that are not about agreeing on a transfer.
func (w *witness) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := slices.DeleteFunc(w.lines, func(line string) bool { return strings.HasPrefix(line, `"EPSV"`) })
	w.lines = nil
	return strings.Join(lines, "\n")
}

func watched(w *witness) func(*fakeFS) Config {
	return func(files *fakeFS) Config {
		c := testConfig(files)
		c.Observer = w
		return c
	}
}

// TestObserverIsToldOnceOfEachCommand: of logins, of changes with what they change, of
// transfers with their end, and of what was refused or unknown.
func TestObserverIsToldOnceOfEachCommand(t *testing.T) {
	w := new(witness)
	wants := func(t *testing.T, lines ...string) {
		t.Helper()
		for i := range lines {
			lines[i] += " remote=" + clientAddr.String()
		}
		if got := w.take(); got != strings.Join(lines, "\n") {
			t.Errorf("got\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
		}
	}
	bubble(t, watched(w), ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.say("DELE /readme.txt\nHACK it", "530", "500")
		wants(t, `"DELE" 530 / user=`, `"" 500 / user=`)
		k.say("USER u\nPASS wrong", "331")
		time.Sleep(failureDelay)
		k.hear("530")
		k.say("USER u\nPASS p\nTYPE I", "331", "230", "200")
		wants(t, `"USER" 331 / user=u`, `login 530 login incorrect user=u`, `"PASS" 530 / user=u`,
			`"USER" 331 / user=u`, `login 230 <nil> user=u`, `"PASS" 230 / user=u`, `"TYPE" 200 / user=u`)
		k.say("MKD new\nRMD new\nDELE in/b.bin\nDELE denied\nMFMT 20200101000000 readme.txt\nMDTM 20200101000000 readme.txt\nMDTM readme.txt",
			"257", "250", "250", "550", "213", "213", "213")
		wants(t, `"MKD" 257 /new changes user=u`, `"RMD" 250 /new changes user=u`, `"DELE" 250 /in/b.bin changes user=u`,
			`"DELE" 550 /denied changes user=u`, `"MFMT" 213 /readme.txt changes user=u`, `"MDTM" 213 /readme.txt changes user=u`,
			`"MDTM" 213 /readme.txt user=u`)
		k.say("RNFR in/a b.txt\nRNTO in/ü", "350", "250")
		wants(t, `"RNFR" 350 /in/a b.txt user=u`, `"RNTO" 250 /in/ü changes from /in/a b.txt user=u`)
		k.passive()
		k.say("STOR f", "150")
		k.data.Write([]byte("123456789"))
		k.say("NOOP", "200")
		k.data.Close()
		k.hear("226")
		wants(t, `"NOOP" 200 / user=u`, `"STOR" 226 /f stored upload=true ascii=false 9 e3069283 kept=0 user=u`)
		k.passive()
		k.say("RETR none", "550")
		k.passive()
		k.say("STOR g", "150")
		k.data.Write([]byte("123456789"))
		k.say("ABOR", "426", "226")
		wants(t, `"RETR" 550 /none user=u`, `"STOR" 426 /g parked upload=true ascii=false 9 e3069283 kept=9 user=u`, `"ABOR" 226 / user=u`)
	})
	if len(w.sessions) != 1 || len(w.ids) != 2 {
		t.Errorf("%d sessions, transfers %v", len(w.sessions), w.ids)
	}
	for id, ours := range w.ids {
		if !ours {
			t.Errorf("transfer %s is of no session", id)
		}
	}
}

// TestObserverHearsWhyALoginCouldNotBeJudged, which the client does not.
func TestObserverHearsWhyALoginCouldNotBeJudged(t *testing.T) {
	heard := make(logins, 1)
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Observer = heard
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		k.say("USER down\nPASS p", "331", "421", "EOF")
		if e := <-heard; e.Code != 421 || e.Err == nil || errors.Is(e.Err, ErrLogin) || e.TLS || !e.Time.Equal(time.Now()) {
			t.Errorf("got %+v", e)
		}
	})
}

type logins chan LoginEvent

func (l logins) Login(e LoginEvent)   { l <- e }
func (l logins) Command(CommandEvent) {}

// TestNobodyObservingCostsNothing: a session without an observer makes no event.
func TestNobodyObservingCostsNothing(t *testing.T) {
	s, err := NewServer(testConfig(newFakeFS()))
	if err != nil {
		t.Fatal(err)
	}
	ses := &session{server: s}
	if n := testing.AllocsPerRun(100, func() { ses.observe("NOOP", 200, time.Time{}, 0) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestServerCountsAdmittedAndRefused sessions since its start.
func TestServerCountsAdmittedAndRefused(t *testing.T) {
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Limits.Sessions = 1
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.hear("220")
		other := &talker{t: t, server: k.server, control: record(k.server.connect(t, clientAddr))}
		other.hear("421", "EOF")
		k.say("QUIT", "221", "EOF")
		if admitted, refused := k.server.Admitted(); admitted != 1 || refused != 1 {
			t.Errorf("%d and %d", admitted, refused)
		}
	})
}
