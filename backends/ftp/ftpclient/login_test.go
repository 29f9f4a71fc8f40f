package ftpclient

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"
)

// loginServer is a server that answers each verb in one way, and those that it does not know
// with 500.
func loginServer(t *testing.T, answers map[string]string) Config {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "220 old\r\n")
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				verb, _, _ := strings.Cut(lines.Text(), " ")
				answer, ok := answers[verb]
				if !ok {
					answer = "500 what?"
				}
				fmt.Fprint(conn, answer, "\r\n")
			}
			conn.Close()
		}
	}()
	return Config{Address: ln.Addr().String(), User: "u", Password: "canary", Timeout: 10 * time.Second}
}

// TestLoginIsAboutThePassword: a server that lets in without one has judged none.
func TestLoginIsAboutThePassword(t *testing.T) {
	for _, c := range []struct {
		user, pass string
		want       error
	}{
		{"331 password", "230 in", nil},
		{"331 password", "202 not needed", ErrUnjudged},
		{"230 in", "500 no", ErrUnjudged},
		{"331 password", "530 wrong", fs.ErrPermission},
		{"530 never", "500 no", fs.ErrPermission},
		{"331 password", "421 later", ErrTemporary},
	} {
		cfg := loginServer(t, map[string]string{"USER": c.user, "PASS": c.pass, "TYPE": "200 I", "QUIT": "221 bye"})
		err := Login(t.Context(), cfg)
		if !errors.Is(err, c.want) {
			t.Errorf("%s, %s: %v", c.user, c.pass, err)
		}
		if err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("the password is in %v", err)
		}
	}
}

// TestServersThatSendThePasswordBack do not bring it into an error, and so into a log.
func TestServersThatSendThePasswordBack(t *testing.T) {
	for password, answer := range map[string]string{
		"canary":     "530 canary is wrong",
		" canary ":   "530 no canary",
		"can\tary":   "530 can\tary",
		"can\xffary": "530-no\r\n can\xffary\r\n530 no",
		"canary9":    "530 " + strings.Repeat("x", maxText-len("canary")) + "canary9",
		"canary1":    "canary1 is wrong",
		"canary2":    "421 later, canary2",
	} {
		cfg := loginServer(t, map[string]string{"USER": "331 password", "PASS": answer})
		cfg.Password = password
		err := Login(t.Context(), cfg)
		if err == nil || strings.Contains(err.Error(), "can") {
			t.Errorf("%q: %v", answer, err)
		}
		if refused := errors.Is(err, fs.ErrPermission); refused != strings.HasPrefix(answer, "530") {
			t.Errorf("%q: refused %v", answer, refused)
		}
	}
}
