package ftpclient

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"causeway/backends/ftp/ftptest"
)

// answering is a server that answers one verb as the test wants.
func answering(t *testing.T, verb, answer string) *ftptest.Server {
	return ftptest.Start(t, ftptest.Options{Answer: func(v, _ string) (string, bool) { return answer, v == verb }})
}

func TestGivesUpOnRepliesThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{
		"no code":        "hello",
		"code of others": "999 what",
		"long line":      "200 " + strings.Repeat("x", 2*maxReplyLine),
		"many lines":     "200-" + strings.Repeat("x\r\n", 2*maxReplyLines) + "200 end",
		"many octets":    "200-" + strings.Repeat(strings.Repeat("x", maxReplyLine/2)+"\r\n", 100) + "200 end",
		"control":        "2\x000 x",
	} {
		c := connect(t, answering(t, "NOOP", answer))
		if err := c.Noop(t.Context()); !errors.Is(err, ErrProtocol) || c.Usable() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRepliesThatNothingAskedFor are not taken for those to the next commands: servers that
// answer twice to a transfer that is broken off exist.
func TestRepliesThatNothingAskedFor(t *testing.T) {
	c := connect(t, answering(t, "NOOP", "426 Broken off\r\n226 Abort successful"))
	if err := c.Noop(t.Context()); err == nil {
		t.Error("no error")
	}
	if err := c.Delete(t.Context(), "/none"); !errors.Is(err, ErrProtocol) || c.Usable() {
		t.Errorf("got %v", err)
	}
}

func TestEveryStepHasATimeLimit(t *testing.T) {
	silent := make(chan struct{})
	t.Cleanup(func() { close(silent) })
	for _, verb := range []string{"", "USER", "FEAT", "NOOP"} {
		s := ftptest.Start(t, ftptest.Options{Answer: func(v, _ string) (string, bool) {
			if v == verb {
				select {
				case <-silent:
				case <-t.Context().Done():
				}
			}
			return "close", v == verb
		}})
		c, err := Dial(t.Context(), config(s, func(cfg *Config) { cfg.Timeout = 50 * time.Millisecond }))
		if err == nil {
			err = c.Noop(t.Context())
			c.Close()
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, ErrTemporary) {
			t.Errorf("%q: %v", verb, err)
		}
	}
}

func TestContextEndsTheWait(t *testing.T) {
	asked := make(chan struct{})
	s := ftptest.Start(t, ftptest.Options{Answer: func(verb, _ string) (string, bool) {
		if verb == "NOOP" {
			close(asked)
			<-t.Context().Done()
		}
		return "close", verb == "NOOP"
	}})
	c := connect(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if err := c.Noop(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTemporary) || c.Usable() {
		t.Errorf("%v", err)
	}
}

// TestDataGoesToTheServerAlone: the PASV of the test's server announces an address that
// nobody has.
func TestDataGoesToTheServerAlone(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{Answer: func(verb, _ string) (string, bool) { return "500 What?", verb == "EPSV" }})
	s.Put("/file", "", testTime)
	c := connect(t, s)
	for range 2 {
		if got, err := list(t, c, "/"); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	}
	asked := 0
	for _, command := range s.Commands() {
		if command == "EPSV" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("EPSV was tried %d times", asked)
	}
}

func TestFallsBackToPASVWhereThePortOfEPSVIsShut(t *testing.T) {
	s := answering(t, "EPSV", "229 Extended (|||1|)")
	s.Put("/file", "", testTime)
	if got, err := list(t, connect(t, s), "/"); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestNamesThatLeadElsewhereAreLeftOut(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{Listing: "type=file;size=1; good\r\n" +
		"type=file;size=1; ../../etc/passwd\r\n" +
		"type=file;size=1; ..\r\n" +
		"type=file;size=1; .\r\n" +
		"type=file;size=1; /abs\r\n" +
		"type=file;size=1; nul\x00.txt\r\n" +
		"type=file;size=1; cr\r.txt\r\n" +
		"type=file;size=1; \r\n" +
		"type=file;size=1; not utf-8 \xff\r\n" +
		"type=file;size=99999999999999999999; overflow\r\n" +
		"type=file;size=-1; negative\r\n" +
		"type=OS.unix=chr-1/3; null\r\n"})
	c := connect(t, s)
	got, err := list(t, c, "/")
	if err != nil || len(got) != 1 || got[0].Name != "good" {
		t.Errorf("%v, %v", got, err)
	}
	want := LeftOut{Undecodable: 1, Unsafe: 5, Unparsed: 2, Special: 1, Example: `"type=file;size=1; ../../etc/passwd"`}
	if c.LeftOut() != want || want.Lost() != 8 {
		t.Errorf("left out: %+v", c.LeftOut())
	}
}

func TestListingsThatAreNotWholeAreErrors(t *testing.T) {
	end := func(reply string) ftptest.Options { return ftptest.Options{Lean: true, Finish: reply} }
	for name, o := range map[string]ftptest.Options{
		"cut":        end("226-Options: -a -l\r\n226 Output truncated to 10000 matches"),
		"unreadable": end("226 Transfer done (but failed to open directory)."),
		"no listing": {Lean: true, Listing: "welcome\r\nto my server\r\n"},
		"long line":  {Listing: "type=file; " + strings.Repeat("x", 2*maxListingLine)},
		"failed":     end("451 Error"),
	} {
		s := ftptest.Start(t, o)
		s.Put("/file", "", testTime)
		c := connect(t, s)
		if _, err := list(t, c, "/"); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Errorf("%s: afterwards %v", name, err)
		}
	}
}

// TestListingsHaveAnEnd, whatever is in them.
func TestListingsHaveAnEnd(t *testing.T) {
	for _, line := range []string{"type=file;size=1; name\r\n", "what is this\r\n", "\r\n"} {
		c := connect(t, ftptest.Start(t, ftptest.Options{Listing: strings.Repeat(line, 1000)}))
		c.mostListed = 999 * len(line)
		if _, err := list(t, c, "/"); !errors.Is(err, ErrProtocol) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestWholeFilesAreWhatTheServerSaysIsWhole(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{Finish: "426 Connection broke"})
	s.Put("/file", "content", testTime)
	c := connect(t, s)
	d, err := c.Retrieve(t.Context(), "/file", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(d); !errors.Is(err, ErrTemporary) || d.Close() == nil {
		t.Errorf("%v", err)
	}
	u, err := c.Store(t.Context(), "/other")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(); !errors.Is(err, ErrTemporary) || !c.Usable() {
		t.Errorf("%v", err)
	}
}

func TestServerThatIsKilledIsATemporaryFailure(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{})
	s.Put("/file", strings.Repeat("x", 32<<20), testTime)
	c := connect(t, s)
	d, err := c.Retrieve(t.Context(), "/file", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, d, 1000); err != nil {
		t.Fatal(err)
	}
	s.Cut()
	if n, err := io.Copy(io.Discard, d); !errors.Is(err, ErrTemporary) || c.Usable() {
		t.Errorf("%d more octets, %v", n, err)
	}
	if err := c.Noop(t.Context()); !errors.Is(err, ErrTemporary) {
		t.Errorf("afterwards %v", err)
	}
}

func TestReplyErrorsHaveKinds(t *testing.T) {
	for _, c := range []struct {
		code int
		text string
		kind error
	}{
		{421, "Closing", ErrTemporary},
		{450, "Busy", ErrTemporary},
		{530, "Login incorrect.", fs.ErrPermission},
		{550, "/x: Permission denied", fs.ErrPermission},
		{553, "No", fs.ErrPermission},
		{500, "What?", errors.ErrUnsupported},
		{504, "Not so", errors.ErrUnsupported},
		{550, "Failed to open file.", nil},
	} {
		err := error(&ReplyError{Command: "RETR /x", Code: c.code, Text: c.text})
		for _, kind := range []error{ErrTemporary, fs.ErrPermission, fs.ErrNotExist, errors.ErrUnsupported, ErrProtocol} {
			if got, want := errors.Is(err, kind), errors.Is(c.kind, kind); got != want {
				t.Errorf("%v is %v: %v", err, kind, got)
			}
		}
	}
}

// TestFilesOfUnknownSizeAreNotEmpty: MLST may leave sizes out.
func TestFilesOfUnknownSizeAreNotEmpty(t *testing.T) {
	size := "213 3"
	s := ftptest.Start(t, ftptest.Options{Listing: "-rw-r--r-- 1 u g 4 Jan  2  2006 file\r\nlrwxrwxrwx 1 u g 4 Jan  2  2006 link -> file\r\n",
		Answer: func(verb, arg string) (string, bool) {
			switch verb {
			case "MLST":
				return "250-About\r\n type=file; " + arg + "\r\n250 End", true
			case "SIZE":
				return size, true
			case "MLSD":
				return "500 What?", true
			}
			return "", false
		}})
	c := connect(t, s)
	if e, err := c.Stat(t.Context(), "/file"); err != nil || e.Size != 3 {
		t.Errorf("%+v, %v", e, err)
	}
	size = "500 What?"
	if e, err := c.Stat(t.Context(), "/file"); err != nil || e.Size != 4 {
		t.Errorf("without SIZE: %+v, %v", e, err)
	}
	if e, err := c.Stat(t.Context(), "/link"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a link without SIZE: %+v, %v", e, err)
	}
}
