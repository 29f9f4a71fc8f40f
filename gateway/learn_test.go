package gateway

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/auth"
	"causeway/backends/ftp/ftpclient"
	"causeway/configs"
	"causeway/gateway/ftp"
)

// oldServer is an FTP server that knows how to log in, and no more.
type oldServer struct {
	net.Listener
	accounts map[string]string // passwords by name

	mu     sync.Mutex
	early  string   // answer to every USER, if it is set
	answer string   // to every PASS, if it is set
	tried  []string // names
}

func startOld(t *testing.T, accounts map[string]string) *oldServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	o := &oldServer{Listener: ln, accounts: accounts}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go o.serve(conn)
		}
	}()
	return o
}

func (o *oldServer) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "220 old server\r\n")
	var name string
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		verb, arg, _ := strings.Cut(lines.Text(), " ")
		switch verb {
		case "USER":
			name = arg
			fmt.Fprint(conn, o.user(), "\r\n")
		case "PASS":
			fmt.Fprint(conn, o.pass(name, arg), "\r\n")
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			fmt.Fprint(conn, "200 fine\r\n")
		}
	}
}

func (o *oldServer) user() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return cmp.Or(o.early, "331 password")
}

func (o *oldServer) pass(name, password string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tried = append(o.tried, name)
	right, known := o.accounts[name]
	switch {
	case o.answer != "":
		return o.answer
	case !known || right != password:
		return "530 " + password + " is wrong" // a server that talks too much
	}
	return "230 in"
}

// asked are the names that were tried.
func (o *oldServer) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.tried)
}

// answers has every password answered alike, and with early every name; not with "".
func (o *oldServer) answers(early, line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.early, o.answer = early, line
}

// source is where accounts are learnt from, into a users file.
func (o *oldServer) source(into string) configs.AccountSource {
	return configs.AccountSource{Learn: &configs.LearnAccounts{
		From: "ftp://" + o.Addr().String(), Into: into, Template: "device", Until: configs.Date{Year: 9999, Month: time.January, Day: 1},
	}}
}

// learnable is a users file with a closed account and comments.
const learnable = `# those who have moved

users:
  - {name: closed, password: '` + hash + `', disabled: true, mounts: [{path: /, store: disk, rights: [read]}]}   # for good
  # the last line
`

// learning is a configuration with a users file that is learnt into.
func (o *oldServer) learning(t *testing.T, cfg *configs.Config) (users string) {
	t.Helper()
	users = write(t, t.TempDir(), "users.yaml", learnable)
	cfg.Templates = map[string]configs.Template{"device": {Mounts: []configs.Mount{
		{Path: "/", Store: "disk", Prefix: "in/{user}/", Rights: []configs.Right{configs.Read, configs.Write}},
	}}}
	cfg.Accounts = []configs.AccountSource{{File: users}, o.source(users)}
	return users
}

// TestLearn: a client logs in with the password of the old server, gets what the template
// says, and is in the users file when it hears so. Then the old server is gone.
func TestLearn(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password, "closed": password, "a/b": password})
	var users string
	r := start(t, func(c *configs.Config) {
		watched(c)
		c.Guard.Exempt = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		users = o.learning(t, c)
	})
	c := dial(t, r.explicit, nil)
	c.login("cam9", password)
	text, err := os.ReadFile(users)
	_, made, _ := strings.Cut(string(text), "{name: cam9, password: '")
	made, _, _ = strings.Cut(made, "'")
	want := strings.Replace(learnable, "  # the last", "  - {name: cam9, password: '"+made+"', template: device}\n  # the last", 1)
	if err != nil || string(text) != want || !strings.HasPrefix(made, "$argon2id$") {
		t.Errorf("%v, the users file is\n%s", err, text)
	}
	c.upload("/new.txt", "new")
	if on, err := os.ReadFile(filepath.Join(r.dir, "in/cam9/new.txt")); err != nil || string(on) != "new" {
		t.Errorf("on disk: %q, %v", on, err)
	}
	if err := r.try(faraway, "cam9", "canary-wrong"); !errors.Is(err, ftp.ErrLogin) {
		t.Errorf("a wrong password: %v", err)
	}
	for _, name := range []string{"closed", "CLOSED", "a/b", "cam9 "} {
		if err := r.try(loopback, name, password); !errors.Is(err, ftp.ErrLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"cam1", "anonymous", "FTP"} {
		if err := r.try(loopback, name, password); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		dial(t, r.explicit, nil).login("cam9", password)
		r.look(t)
	}
	if err := r.try(loopback, "cam8", password); !errors.Is(err, ftp.ErrUnavailable) {
		t.Errorf("who was not learnt: %v", err)
	}
	if asked := o.asked(); !slices.Equal(asked, []string{"cam9"}) {
		t.Errorf("the old server was asked for %q", asked)
	}
	_, metrics := r.ask(t, "GET", "/metrics")
	for _, want := range []string{`{result="learnt"} 1`, `{result="unavailable"} 1`, `{result="refused"} 0`, `{result="throttled"} 0`, `{result="unwritten"} 0`} {
		if !strings.Contains(metrics, "causeway_logins_learnt_total"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
}

// TestLearntAccountsAreUsers: who is removed from the users file or disabled there after it
// was learnt is so, at the next command and the next login.
func TestLearntAccountsAreUsers(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password})
	var users string
	r := start(t, func(c *configs.Config) { users = o.learning(t, c) })
	c := dial(t, r.explicit, nil)
	c.login("cam9", password)
	text, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(users), "users.yaml", strings.Replace(string(text), "name: cam9", "name: cam9, disabled: true", 1))
	r.look(t)
	r.look(t)
	c.do(421, "PWD")
	if err := r.try(faraway, "cam9", password); !errors.Is(err, ftp.ErrLogin) || len(o.asked()) != 1 {
		t.Errorf("%v; the old server was asked for %q", err, o.asked())
	}
}

// TestLearnWhatCameToTheFileMeanwhile: an account that was written into the users file and is
// not known yet decides, also where it is written in another way.
func TestLearnWhatCameToTheFileMeanwhile(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password, "cam8": password})
	var users string
	r := prepare(t, func(c *configs.Config) { users = o.learning(t, c) }) // and nobody looks at its files
	t.Cleanup(func() { r.Gateway.close() })
	changed := strings.Replace(learnable, "name: closed", "name: cam9", 1) + strings.Replace(learnable[strings.Index(learnable, "  - "):], "name: closed", "name: CAM8", 1)
	write(t, filepath.Dir(users), "users.yaml", changed)
	for _, name := range []string{"cam9", "cam8"} {
		if err := r.try(faraway, name, password); !errors.Is(err, ftp.ErrLogin) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text, err := os.ReadFile(users); err != nil || string(text) != changed {
		t.Errorf("%v, the users file is\n%s", err, text)
	}
}

// TestLearnThatCannotBeWritten lets the client in, with what the template says, and is told.
func TestLearnThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password})
	var users string
	r := start(t, func(c *configs.Config) { users = o.learning(t, c) })
	if err := os.Chmod(users, 0o644); err != nil {
		t.Fatal(err)
	}
	c := dial(t, r.explicit, nil)
	c.login("cam9", password)
	c.upload("/new.txt", "new")
	if text, err := os.ReadFile(users); err != nil || string(text) != learnable {
		t.Errorf("%v, the users file is\n%s", err, text)
	}
	if !strings.Contains(r.log.String(), "could not be written") || !strings.Contains(r.log.String(), "open to every user") {
		t.Errorf("the log does not tell of it:\n%s", r.log)
	}
	if err := os.Chmod(users, 0o600); err != nil {
		t.Fatal(err)
	}
	dial(t, r.explicit, nil).login("cam9", password)
	if text, err := os.ReadFile(users); err != nil || !strings.Contains(string(text), "name: cam9") || len(o.asked()) != 2 {
		t.Errorf("mended: %v, the old server was asked for %q, the users file is\n%s", err, o.asked(), text)
	}
}

// TestLearnComesBehindTheGuard: what it refuses never reaches the old server.
func TestLearnComesBehindTheGuard(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password})
	r := start(t, func(c *configs.Config) {
		o.learning(t, c)
		c.Guard = configs.Guard{AddressGuessesPerMinute: 3, BanAfter: 5, BanTime: time.Hour}
	})
	for i := range 9 {
		if err := r.try(faraway, fmt.Sprint("guess", i), "canary-wrong"); !errors.Is(err, ftp.ErrLogin) {
			t.Error(err)
		}
	}
	if r.guard.Admit(faraway) {
		t.Error("the guesser is not banned")
	}
	if err := r.try(faraway, "cam9", password); !errors.Is(err, ftp.ErrLogin) {
		t.Errorf("the right password from a banned address: %v", err)
	}
	if asked, throttled := o.asked(), strings.Count(r.log.String(), "login throttled"); len(asked) == 0 || len(asked)+throttled != 10 || slices.Contains(asked, "cam9") {
		t.Errorf("the old server was asked for %q, and %d logins were throttled", asked, throttled)
	}
	if err := r.try(loopback, "cam9", password); err != nil {
		t.Errorf("the right password from elsewhere: %v", err)
	}
}

// TestLearnTellsRefusedFromUnjudged logins; in no error is the password.
func TestLearnTellsRefusedFromUnjudged(t *testing.T) {
	t.Parallel()
	o := startOld(t, map[string]string{"cam9": password})
	r := start(t, func(c *configs.Config) { o.learning(t, c) })
	for i, answer := range []string{"530 wrong", "530 " + password, "501 bad name", "421 too many", "430 later", "500 what", "503 no", "532 account", "550 TLS is a must", "202 not needed", "not FTP"} {
		o.answers("", answer)
		err := r.try(loopback, fmt.Sprint("name", i), password)
		if refused := i < 3; refused != errors.Is(err, ftp.ErrLogin) || refused == errors.Is(err, ftp.ErrUnavailable) {
			t.Errorf("%s: %v", answer, err)
		}
		if strings.Contains(err.Error(), password) {
			t.Errorf("the password is in %v", err)
		}
	}
	o.answers("", "")
	if err := r.try(loopback, "cam9", password); err != nil {
		t.Error(err)
	}
	err := judgeLogin(&ftpclient.ReplyError{Command: "AUTH TLS", Code: 530}, password)
	if errors.Is(err, auth.ErrLogin) {
		t.Errorf("not a password: %v", err)
	}
}
