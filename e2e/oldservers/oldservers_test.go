//go:build e2e

package oldservers

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// each runs a test with every kind of server, each with TLS and one user.
func each(t *testing.T, o Options, test func(*testing.T, Kind, *Server)) {
	for _, kind := range Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			o := o
			o.Dir, o.Users = t.TempDir(), []User{{Name: "cam1", Password: "pass word of 1"}}
			s, err := Start(t.Context(), kind, o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Kill)
			test(t, kind, s)
		})
	}
}

var cam1 = User{Name: "cam1", Password: "pass word of 1"}

// curl runs curl on a path of the server, and fails the test if curl fails.
func curl(t *testing.T, s *Server, u User, path string, args ...string) string {
	t.Helper()
	args = append([]string{"-sS", "--user", u.Name + ":" + u.Password, "ftp://" + s.Address + path}, args...)
	out, err := exec.CommandContext(t.Context(), "curl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl %s: %v\n%s", path, err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUserHasAHomeThatTheAdminSees(t *testing.T) {
	each(t, Options{}, func(t *testing.T, kind Kind, s *Server) {
		local := write(t, t.TempDir(), "a", "hello")
		curl(t, s, cam1, "/sub/a.txt", "-T", local, "--ftp-create-dirs")
		curl(t, s, cam1, "/", "-Q", "-RNFR sub/a.txt", "-Q", "-RNTO sub/b.txt")
		if got := curl(t, s, s.Admin, "/cam1/sub/b.txt"); got != "hello" {
			t.Errorf("the admin reads %q", got)
		}
		if got := curl(t, s, s.Admin, "/cam1/sub/"); !strings.Contains(got, "b.txt") {
			t.Errorf("the admin lists %q", got)
		}
		if got, err := os.ReadFile(filepath.Join(s.Homes, "cam1/sub/b.txt")); err != nil || string(got) != "hello" {
			t.Errorf("the folder has %q, %v", got, err)
		}
		verb := map[Kind]string{VSFTPD: "MDTM", ProFTPD: "MFMT", PureFTPd: "MFMT"}[kind]
		if got := curl(t, s, s.Admin, "/cam1/sub/b.txt", "-I", "-Q", verb+" 20200102030405 /cam1/sub/b.txt"); !strings.Contains(got, "02 Jan 2020 03:04:05 GMT") {
			t.Errorf("time after it was set: %q", got)
		}
	})
}

func TestWrongPasswordIsRefused(t *testing.T) {
	each(t, Options{}, func(t *testing.T, _ Kind, s *Server) {
		out, err := exec.CommandContext(t.Context(), "curl", "-sS", "--user", "cam1:wrong", "ftp://"+s.Address+"/").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "530") && !strings.Contains(string(out), "denied") {
			t.Errorf("curl: %v\n%s", err, out)
		}
	})
}

func TestTLS(t *testing.T) {
	each(t, Options{TLS: true}, func(t *testing.T, _ Kind, s *Server) {
		local := write(t, t.TempDir(), "a", "hello")
		curl(t, s, cam1, "/a.txt", "-T", local, "--ssl-reqd", "--cacert", s.Certificate)
		if got := curl(t, s, cam1, "/a.txt", "--ssl-reqd", "--cacert", s.Certificate); got != "hello" {
			t.Errorf("read %q", got)
		}
		if got := curl(t, s, cam1, "/a.txt"); got != "hello" {
			t.Errorf("read in clear %q", got)
		}
	})
}

func TestTLSWithReuse(t *testing.T) {
	each(t, Options{TLS: true, RequireReuse: true}, func(t *testing.T, _ Kind, s *Server) {
		local := write(t, t.TempDir(), "a", "hello")
		curl(t, s, cam1, "/a.txt", "-T", local, "--ssl-reqd", "--cacert", s.Certificate, "--tls-max", "1.2")
		if got := curl(t, s, cam1, "/a.txt", "--ssl-reqd", "--cacert", s.Certificate, "--tls-max", "1.2"); got != "hello" {
			t.Errorf("read %q", got)
		}
	})
}

func TestStopAndRestart(t *testing.T) {
	each(t, Options{}, func(t *testing.T, _ Kind, s *Server) {
		local := write(t, t.TempDir(), "a", "hello")
		curl(t, s, cam1, "/a.txt", "-T", local)
		for _, end := range []func(){s.Stop, s.Kill} {
			end()
			if conn, err := net.Dial("tcp", s.Address); err == nil {
				_ = conn.Close() // the test fails anyway
				t.Fatal("it still listens")
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := curl(t, s, cam1, "/a.txt"); got != "hello" {
				t.Errorf("read %q after a restart", got)
			}
		}
	})
}
