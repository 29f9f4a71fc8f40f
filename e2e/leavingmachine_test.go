//go:build e2e

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"causeway/e2e/oldservers"
	"causeway/e2e/stores"
	"causeway/e2e/unpacked"
)

// machine is a machine of its own as far as commands can tell: files in /etc and /srv,
// processes, and a network with every port free, in which one shell is told what to do.
type machine struct {
	t     *testing.T
	stdin io.WriteCloser
	out   *bufio.Reader
	log   string // the folder with what its services write
	said  strings.Builder
}

// systemctl stands in for systemd: it starts, stops and restarts vsftpd and causeway as their
// units do, each as its user, and comes back when they listen.
const systemctl = `#!/bin/bash
set -e
verb=$1; shift
[ "$1" = --now ] && shift
stop() {
	[ -e /run/$1.pid ] || return 0
	kill $(cat /run/$1.pid)
	while kill -0 $(cat /run/$1.pid) 2>/dev/null; do sleep 0.05; done
	rm /run/$1.pid
}
start() {
	case $1 in
	vsftpd) LD_LIBRARY_PATH=LIBRARIES PROGRAM /etc/vsftpd.conf -obackground=NO -oisolate_network=NO >>LOG/vsftpd 2>&1 </dev/null & ;;
	causeway)
		(set -a; . /etc/causeway/environment; exec setpriv --reuid causeway --regid causeway --clear-groups --inh-caps=-all,+net_bind_service \
			--ambient-caps=-all,+net_bind_service causeway serve -c /etc/causeway/causeway.yaml) >>LOG/causeway 2>&1 </dev/null & ;;
	esac
	echo $! >/run/$1.pid
	case $1 in
	vsftpd) port=$(sed -n 's/^listen_port=//p' /etc/vsftpd.conf | tail -n 1) ;;
	causeway) port=$(sed -n 's/.*{address: ":\([0-9]*\)".*/\1/p' /etc/causeway/causeway.yaml) ;;
	esac
	until (exec 3<>/dev/tcp/127.0.0.1/${port:-21}) 2>/dev/null; do
		kill -0 $(cat /run/$1.pid) || { tail -n 5 LOG/$1; exit 1; }
		sleep 0.05
	done
}
for unit; do
	case $verb in
	enable | start) start $unit ;;
	restart) stop $unit; start $unit ;;
	disable | stop) stop $unit ;;
	esac
done
`

// boot makes the machine that the README's page begins with: vsftpd with so many virtual
// users, who have a file each, and a server of S3 with an empty bucket.
func boot(t *testing.T, users int) *machine {
	t.Helper()
	dir := t.TempDir()
	srv := filepath.Join(dir, "srv")
	debian, err := oldservers.NewDebian(t.Context(), oldservers.Options{Dir: dir, Users: []oldservers.User{{Name: "virtual", Password: "none", Home: filepath.Join(srv, "ftp")}}, Lines: []string{
		"write_enable=YES", "local_umask=022", "guest_enable=YES", "guest_username=virtual", "virtual_use_local_privs=YES", "user_sub_token=$USER", "local_root=/srv/ftp/$USER",
		"chroot_local_user=YES", "allow_writeable_chroot=YES", "user_config_dir=/etc/vsftpd_users", "pam_service_name=vsftpd.virtual", "pasv_min_port=30000", "pasv_max_port=30999",
		"ssl_enable=YES", "force_local_logins_ssl=NO", "force_local_data_ssl=NO", "rsa_cert_file=/etc/ssl/private/vsftpd.pem", "rsa_private_key_file=/etc/ssl/private/vsftpd.pem",
	}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := unpacked.Locate("/usr/sbin/vsftpd")
	pam, err2 := unpacked.Locate("/lib/*/security/pam_pwdfile.so")
	gateway, err3 := stores.Path("versitygw", "versitygw")
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, log: filepath.Join(dir, "log")}
	for _, folder := range []string{"etc/causeway", "etc/vsftpd_users", "etc/ssl/private", "log", "bin", "buckets/my-bucket", "meta"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var libraries string
	for _, set := range server.Environ() {
		libraries = strings.TrimPrefix(set, "LD_LIBRARY_PATH=") // the last is ours
	}
	script := strings.NewReplacer("LIBRARIES", libraries, "PROGRAM", server.Path, "LOG", m.log).Replace(systemctl)
	err = errors.Join(os.WriteFile(filepath.Join(dir, "bin/systemctl"), []byte(script), 0o755),
		os.Symlink(shared.binary, filepath.Join(dir, "bin/causeway")),
		os.WriteFile(filepath.Join(debian.Etc, "pam.d/vsftpd.virtual"), []byte("auth required "+pam.Path+" pwdfile=/etc/vsftpd.passwd\naccount required pam_permit.so\n"), 0o600),
		os.WriteFile(filepath.Join(debian.Etc, "causeway/environment"), []byte("AWS_ACCESS_KEY_ID="+stores.S3Key+"\nAWS_SECRET_ACCESS_KEY="+stores.S3Secret+"\n"), 0o600),
		populate(debian, srv, users), debian.Own())
	if err != nil {
		t.Fatal(err)
	}
	m.start(debian.Command("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "/bin/sh", "-c",
		`ip link set lo up && mount --bind "$1" /srv && mount -t tmpfs tmpfs /var/lib && exec /bin/bash 2>&1`, "sh", srv), filepath.Join(dir, "bin"))
	m.must("ROOT_ACCESS_KEY=" + stores.S3Key + " ROOT_SECRET_KEY=" + stores.S3Secret + " " + gateway + " --quiet --port 127.0.0.1:7070 --health /healthz posix --sidecar " +
		filepath.Join(dir, "meta") + " " + filepath.Join(dir, "buckets") + " >" + m.log + "/s3 2>&1 </dev/null &")
	m.must("until curl -sf http://127.0.0.1:7070/healthz >/dev/null; do sleep 0.05; done")
	m.must("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ftp.example -keyout /run/key -out /run/cert 2>/dev/null && cat /run/key /run/cert >/etc/ssl/private/vsftpd.pem")
	m.must("chmod 600 /etc/ssl/private/vsftpd.pem")
	m.must("systemctl start vsftpd")
	return m
}

// populate makes the users, and a file for each.
func populate(debian *oldservers.Debian, srv string, users int) error {
	var passwords strings.Builder
	var errs []error
	for n := range users {
		fmt.Fprintln(&passwords, secretOf(n+1))
		home := filepath.Join(srv, "ftp", nameOf(n+1))
		errs = append(errs, os.MkdirAll(filepath.Join(home, "in"), 0o755), os.WriteFile(filepath.Join(home, "in", "old.txt"), []byte("old of "+nameOf(n+1)), 0o644))
	}
	cmd := exec.Command("openssl", "passwd", "-1", "-stdin")
	cmd.Stdin = strings.NewReader(passwords.String())
	out, err := cmd.Output()
	var file strings.Builder
	for n, hash := range strings.Fields(string(out)) {
		fmt.Fprintf(&file, "%s:%s\n", nameOf(n+1), hash)
	}
	errs = append(errs, err, os.WriteFile(filepath.Join(debian.Etc, "vsftpd.passwd"), []byte(file.String()), 0o600))
	return errors.Join(errs...)
}

func nameOf(n int) string { return fmt.Sprintf("user%03d", n) }

func secretOf(n int) string { return fmt.Sprintf("old-pass-%d", n) }

// start starts the shell, with a folder before its PATH.
func (m *machine) start(cmd *exec.Cmd, bin string) {
	m.t.Helper()
	var err error
	if m.stdin, err = cmd.StdinPipe(); err != nil {
		m.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	m.out = bufio.NewReader(out)
	cmd.Env = append(os.Environ(), "PATH="+bin+":/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C")
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill() // with all that runs there
		_ = cmd.Wait()
		for _, name := range []string{"causeway", "vsftpd", "s3"} {
			text, _ := os.ReadFile(filepath.Join(m.log, name))
			if strings.Contains(string(text), "DATA RACE") || strings.Contains(string(text), "panic:") {
				m.t.Errorf("%s raced or panicked:\n%s", name, text)
			} else if m.t.Failed() {
				m.t.Logf("log of %s:\n%s", name, tailOf(string(text), 20))
			}
		}
	})
}

// run has the shell run a line, and returns what was said and the exit code.
func (m *machine) run(line string) (said string, code int) {
	m.t.Helper()
	const end = "-- the line has ended: "
	if _, err := fmt.Fprintf(m.stdin, "%s\necho \"\n%s$?\"\n", line, end); err != nil {
		m.t.Fatalf("%s: %v\n%s", line, err, m.said.String())
	}
	var b strings.Builder
	for {
		text, err := m.out.ReadString('\n')
		if err != nil {
			m.t.Fatalf("%s: the shell has ended: %v\n%s%s", line, err, m.said.String(), b.String())
		}
		if after, ok := strings.CutPrefix(text, end); ok {
			code, err = strconv.Atoi(strings.TrimSpace(after))
			if err != nil {
				m.t.Fatal(err)
			}
			break
		}
		b.WriteString(text)
	}
	said = strings.TrimSuffix(b.String(), "\n")
	fmt.Fprintf(&m.said, "$ %s\n%s", line, said)
	return said, code
}

// must is run of what has to end with 0.
func (m *machine) must(line string) string {
	m.t.Helper()
	said, code := m.run(line)
	if code != 0 {
		m.t.Fatalf("%s ends with %d:\n%s", line, code, tailOf(m.said.String(), 60))
	}
	return said
}
