package oldservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"causeway/e2e/unpacked"
)

// Debian is a running server with the configuration that its Debian package installs, and
// users of the system. Nothing of the configuration is changed but where it listens, where
// the package's own files are, and where there is no network but loopback.
type Debian struct {
	Server
	Etc   string // what the server has as /etc
	Users []User
}

// firstUser is the number of the first user, above those that Debian keeps for itself.
const firstUser = 2001

// StartDebian is Start with Debian's own configuration. Of the options Dir and Users count,
// and Lines for vsftpd.
func StartDebian(ctx context.Context, kind Kind, o Options) (*Debian, error) {
	s, err := NewDebian(ctx, o)
	if err != nil {
		return nil, err
	}
	start, ok := map[Kind]func() (command, error){VSFTPD: s.vsftpd, ProFTPD: s.proftpd, PureFTPd: s.pureFTPd}[kind]
	if !ok {
		return nil, fmt.Errorf("no old server %q", kind)
	}
	command, err := start()
	if err != nil {
		return nil, err
	}
	return s, s.start(ctx, command)
}

// NewDebian is StartDebian that starts no server, for who runs one with Command.
func NewDebian(ctx context.Context, o Options) (*Debian, error) {
	s := &Debian{Server: Server{Homes: filepath.Join(o.Dir, "homes")}, Etc: filepath.Join(o.Dir, "etc")}
	if err := errors.Join(reachable(o.Dir), s.fillEtc()); err != nil {
		return nil, err
	}
	return s, errors.Join(s.addUsers(ctx, o.Users), s.addLines(o.Lines))
}

// addLines adds to vsftpd.conf what its owner has.
func (s *Debian) addLines(lines []string) error {
	conf, err := os.OpenFile(filepath.Join(s.Etc, "vsftpd.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, line := range lines {
		_, wrong := conf.WriteString(line + "\n")
		err = errors.Join(err, wrong)
	}
	return errors.Join(err, conf.Close())
}

// fillEtc copies what this system and the packages have in /etc, as far as it matters.
func (s *Debian) fillEtc() error {
	root, err := unpacked.Folder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Etc, 0o755); err != nil {
		return err
	}
	var from []string
	for _, name := range []string{"pam.d", "security", "nsswitch.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "shells", "login.defs", "services", "protocols", "hosts", "alternatives", "ssl"} {
		from = append(from, "/etc/"+name)
	}
	for _, name := range []string{"pam.d", "ftpusers", "ftpallow", "vsftpd.conf", "proftpd", "pure-ftpd"} {
		from = append(from, root+"/etc/"+name)
	}
	if out, err := exec.Command("cp", append(append([]string{"-a"}, from...), s.Etc)...).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w\n%s", err, out)
	}
	return nil
}

// addUsers writes passwd, group and shadow, with those that the servers, ours too, run as.
func (s *Debian) addUsers(ctx context.Context, users []User) error {
	hashes, err := hash(ctx, users)
	if err != nil {
		return err
	}
	var passwd, group, shadow strings.Builder
	passwd.WriteString("root:x:0:0:root:/root:/bin/bash\nproftpd:x:104:65534::/run/proftpd:/usr/sbin/nologin\ncauseway:x:105:105::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
	group.WriteString("root:x:0:\nadm:x:4:\ncauseway:x:105:\nnogroup:x:65534:\n")
	shadow.WriteString("root:*:20000:0:99999:7:::\nproftpd:!:20000::::::\nnobody:*:20000:0:99999:7:::\n")
	for i, u := range users {
		if u.Home == "" {
			u.Home = filepath.Join(s.Homes, u.Name)
		}
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:/bin/bash\n", u.Name, firstUser+i, firstUser+i, u.Home)
		fmt.Fprintf(&group, "%s:x:%d:\n", u.Name, firstUser+i)
		fmt.Fprintf(&shadow, "%s:%s:20000:0:99999:7:::\n", u.Name, hashes[i])
		s.Users = append(s.Users, u)
	}
	errs := []error{s.Own()}
	for name, text := range map[string]string{"passwd": passwd.String(), "group": group.String(), "shadow": shadow.String()} {
		errs = append(errs, os.WriteFile(filepath.Join(s.Etc, name), []byte(text), 0o644))
	}
	return errors.Join(errs...)
}

// Own makes the users' homes, if they are not there, and gives each user what is in his.
func (s *Debian) Own() error {
	for i, u := range s.Users {
		if err := os.MkdirAll(u.Home, 0o755); err != nil {
			return err
		}
		err := filepath.WalkDir(u.Home, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, firstUser+i, firstUser+i)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inside has a shell see Etc as /etc, and folders of its own for logs and what runs.
const inside = `mount --bind "$1" /etc && shift && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log &&
mkdir -p /run/vsftpd/empty /run/proftpd /run/pure-ftpd /var/log/proftpd /var/log/pure-ftpd && exec "$@"`

// Command makes a command that sees Etc as /etc. Who runs it must not be shown /run.
func (s *Debian) Command(name string, args ...string) *exec.Cmd {
	return isolated(exec.Command("/bin/sh", append([]string{"-c", inside, "sh", s.Etc, name}, args...)...))
}

// run is Command for a program that was unpacked.
func (s *Debian) run(p unpacked.Program, args ...string) *exec.Cmd {
	cmd := s.Command(p.Path, args...)
	cmd.Env = p.Environ()
	return cmd
}

func (s *Debian) vsftpd() (command, error) {
	program, err := unpacked.Locate("/usr/sbin/vsftpd")
	return func(port string) *exec.Cmd {
		return s.run(program, "/etc/vsftpd.conf", "-olisten_port="+port, "-olisten_ipv6=NO", "-olisten=YES", "-olisten_address=127.0.0.1",
			"-obackground=NO", "-oisolate_network=NO")
	}, err
}

// proftpd has in /etc what the package copies there when it is installed.
func (s *Debian) proftpd() (command, error) {
	program, err := unpacked.Locate("/usr/sbin/proftpd")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.Etc, "proftpd")
	for _, name := range []string{"proftpd.conf", "modules.conf", "tls.conf"} {
		text, err := os.ReadFile(filepath.Join(program.Root, "usr/share/proftpd/templates", name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	return func(port string) *exec.Cmd {
		// -c names another file, so that the one which is planned stays as it is.
		script := `sed 's|^ModulePath .*|ModulePath '"$1"'|' /etc/proftpd/modules.conf >/run/modules.conf &&
{ sed 's|^Port .*|Port '"$2"'|; s|^Include /etc/proftpd/modules.conf|Include /run/modules.conf|' /etc/proftpd/proftpd.conf; echo DefaultAddress 127.0.0.1; echo SocketBindTight on; } >/run/proftpd.conf &&
exec "$3" -n -q -c /run/proftpd.conf`
		cmd := s.Command("/bin/sh", "-c", script, "sh", program.Root+"/usr/lib/proftpd", port, program.Path)
		cmd.Env = program.Environ()
		return cmd
	}, nil
}

// pureFTPd is started with what Debian's wrapper makes of its files.
func (s *Debian) pureFTPd() (command, error) {
	program, err := unpacked.Locate("/usr/sbin/pure-ftpd")
	return func(port string) *exec.Cmd {
		script := `exec "$1" $("$1-wrapper" --show-options) -S "127.0.0.1,$2"`
		cmd := s.Command("/bin/sh", "-c", script, "sh", program.Path, port)
		cmd.Env = program.Environ()
		return cmd
	}, err
}
