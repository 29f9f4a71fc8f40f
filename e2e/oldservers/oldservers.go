// Package oldservers starts the FTP servers that people leave, for tests: vsftpd, ProFTPD and
// Pure-FTPd, each with virtual users and all that it writes in a folder that the test gives.
// It does not install them: see e2e/install.sh, which unpacks Debian's packages into a
// folder, so that no service of this machine is started or changed. They need root, and
// Linux. Its central type is Server.
package oldservers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"causeway/e2e/process"
)

// Kind is which server.
type Kind string

// The servers of Debian.
const (
	VSFTPD   Kind = "vsftpd"    // no MLSD, no MFMT: sets times by MDTM
	ProFTPD  Kind = "proftpd"   // MLSD, MFMT, HASH and its kin
	PureFTPd Kind = "pure-ftpd" // MLSD, sets times by MDTM and SITE UTIME
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{VSFTPD, ProFTPD, PureFTPd} }

// User is a virtual user.
type User struct {
	Name, Password string
	Home           string // a folder, which the user cannot leave; empty is Server.Homes/Name
}

// Options are what a server is started with.
type Options struct {
	Dir   string // an empty folder, for all that the server writes
	Users []User // beside Server.Admin

	// TLS has the server offer AUTH TLS, and demand it of nobody. RequireReuse has it refuse
	// data connections that do not resume the session of the control connection; Pure-FTPd
	// cannot do so.
	TLS, RequireReuse bool

	// Lines are added to the end of the configuration: directives of vsftpd and ProFTPD,
	// arguments of Pure-FTPd.
	Lines []string
}

// Server is a running server. It listens on a loopback port and sends no address but
// 127.0.0.1 in its answers to PASV.
type Server struct {
	Address     string // host:port
	Homes       string // the folder in which the users' homes are
	Admin       User   // whose home is Homes
	Certificate string // the file of its certificate, with TLS: for 127.0.0.1 and localhost

	process *process.Server
	cmd     *exec.Cmd
}

// owner is whose all files are: Debian's user and group for what owns nothing.
const owner = 65534

// Start starts a server, and makes the homes of the users that are not there yet. ctx bounds
// the wait, not the server's life; who calls it must Stop or Kill the server.
func Start(ctx context.Context, kind Kind, o Options) (*Server, error) {
	s := &Server{Homes: filepath.Join(o.Dir, "homes")}
	s.Admin = User{"admin", "s3cret of the admin", s.Homes}
	if err := reachable(o.Dir); err != nil {
		return nil, err
	}
	users := append([]User{s.Admin}, o.Users...)
	for i, u := range users {
		if u.Home == "" {
			users[i].Home = filepath.Join(s.Homes, u.Name)
		}
		if err := Give(users[i].Home); err != nil {
			return nil, err
		}
	}
	hashes, err := hash(ctx, users)
	if err != nil {
		return nil, err
	}
	p := plan{Options: o, users: users, hashes: hashes}
	if o.TLS {
		s.Certificate = p.path("certificate.pem")
		if err := writeCertificate(s.Certificate); err != nil {
			return nil, err
		}
	}
	start, ok := map[Kind]func(plan) (command, error){VSFTPD: vsftpd, ProFTPD: proftpd, PureFTPd: pureFTPd}[kind]
	if !ok {
		return nil, fmt.Errorf("no old server %q", kind)
	}
	command, err := start(p)
	if err != nil {
		return nil, err
	}
	return s, s.start(ctx, command)
}

// start runs the process.
func (s *Server) start(ctx context.Context, command command) error {
	var err error
	s.process, err = process.Start(ctx, process.Program{
		Command: func(port string) *exec.Cmd {
			s.cmd = isolated(command(port))
			return s.cmd
		},
		Ready: greets,
	})
	if err == nil {
		s.Address = s.process.Address
	}
	return err
}

// Stop ends the server and its sessions as its service would: by SIGTERM.
func (s *Server) Stop() {
	terminate(s.cmd)
	s.process.Wait(10 * time.Second)
	s.Kill()
}

// Kill ends the server and its sessions by SIGKILL. One that has ended stays so.
func (s *Server) Kill() {
	kill(s.cmd)
	s.process.Stop()
}

// Restart starts the server again after Stop or Kill, where it was before.
func (s *Server) Restart(ctx context.Context) error { return s.process.Restart(ctx) }

// Give makes a folder, if it is not there, and gives it and all in it to the server's users.
func Give(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, owner, owner)
	})
}

// reachable lets the server's users pass a folder and those above it: a test's is its own.
func reachable(dir string) error {
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 != 0 {
			continue
		}
		if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
			return err
		}
	}
	return nil
}

// greets tells whether an FTP server answers.
func greets(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // it has been asked
	deadline, _ := ctx.Deadline()
	greeting := make([]byte, 4)
	if err := conn.SetDeadline(deadline); err != nil {
		return false
	}
	n, err := conn.Read(greeting)
	return err == nil && strings.HasPrefix(string(greeting[:n]), "220")
}

// hash makes the users' passwords what crypt(3) takes, in their order.
func hash(ctx context.Context, users []User) ([]string, error) {
	var in strings.Builder
	for _, u := range users {
		in.WriteString(u.Password + "\n")
	}
	cmd := exec.CommandContext(ctx, "openssl", "passwd", "-6", "-stdin")
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("openssl passwd: %w", err)
	}
	hashes := strings.Fields(string(out))
	if len(hashes) != len(users) {
		return nil, errors.New("openssl passwd: a password that is not one line")
	}
	return hashes, nil
}
