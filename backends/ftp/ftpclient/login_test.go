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
