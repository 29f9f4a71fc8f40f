package oldservers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"causeway/e2e/unpacked"
)

// plan is what the configurations are made of.
type plan struct {
	Options
	users  []User
	hashes []string // of the users' passwords, in their order
}

// command makes the command that runs a server on a port.
type command func(port string) *exec.Cmd

// path is that of a file of the server's folder.
func (p plan) path(name string) string { return filepath.Join(p.Dir, name) }

// write writes a file of the server's folder.
func (p plan) write(name string, lines ...string) error {
	return os.WriteFile(p.path(name), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// vsftpd has its virtual users in a file of PAM's pwdfile, and a file for each home.
func vsftpd(p plan) (command, error) {
	program, err := unpacked.Locate("/usr/sbin/vsftpd")
	if err != nil {
		return nil, err
	}
	module, err := unpacked.Locate("/lib/*/security/pam_pwdfile.so")
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{"users", "empty", "pam.d"} {
		if err := os.Mkdir(p.path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	passwords := make([]string, 0, len(p.users))
	for i, u := range p.users {
		passwords = append(passwords, u.Name+":"+p.hashes[i])
		if err := p.write("users/"+u.Name, "local_root="+u.Home); err != nil {
			return nil, err
		}
	}
	if err := p.write("passwords", passwords...); err != nil {
		return nil, err
	}
	if err := p.write("pam.d/vsftpd", "auth required "+module.Path+" pwdfile="+p.path("passwords"), "account required pam_permit.so"); err != nil {
		return nil, err
	}
	// It wants the home of who the virtual users are, which nobody has not, before theirs.
	if err := p.write("passwd", fmt.Sprintf("nobody:x:%d:%d::/:/usr/sbin/nologin", owner, owner)); err != nil {
		return nil, err
	}
	conf := []string{
		"background=NO", "listen=YES", "listen_ipv6=NO", "listen_address=127.0.0.1",
		"pam_service_name=vsftpd", "secure_chroot_dir=" + p.path("empty"), "xferlog_enable=YES", "vsftpd_log_file=" + p.path("log"),
		"anonymous_enable=NO", "local_enable=YES", "guest_enable=YES", "guest_username=nobody", "virtual_use_local_privs=YES",
		"user_config_dir=" + p.path("users"), "chroot_local_user=YES", "allow_writeable_chroot=YES",
		"write_enable=YES", "local_umask=022", "file_open_mode=0666",
		"isolate_network=NO", // a name space for each session takes longer than all else
	}
	if p.TLS {
		certificate := p.path("certificate.pem")
		conf = append(conf, "ssl_enable=YES", "rsa_cert_file="+certificate, "rsa_private_key_file="+certificate,
			"force_local_logins_ssl=NO", "force_local_data_ssl=NO", "ssl_ciphers=HIGH", "require_ssl_reuse="+map[bool]string{true: "YES", false: "NO"}[p.RequireReuse])
	}
	if err := p.write("conf", append(conf, p.Lines...)...); err != nil {
		return nil, err
	}
	return func(port string) *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", `mount --bind "$1" /etc/pam.d && mount --bind "$2" /etc/passwd && shift 2 && exec "$@"`, "sh",
			p.path("pam.d"), p.path("passwd"), program.Path, p.path("conf"), "-olisten_port="+port)
		cmd.Env = program.Environ()
		return cmd
	}, nil
}

// proftpd has its virtual users in files of its own.
func proftpd(p plan) (command, error) {
	program, err := unpacked.Locate("/usr/sbin/proftpd")
	if err != nil {
		return nil, err
	}
	users := make([]string, 0, len(p.users))
	for i, u := range p.users {
		users = append(users, fmt.Sprintf("%s:%s:%d:%d::%s:/bin/false", u.Name, p.hashes[i], owner, owner, u.Home))
	}
	if err := p.write("passwords", users...); err != nil {
		return nil, err
	}
	conf := []string{
		"ModulePath " + program.Root + "/usr/lib/proftpd", "LoadModule mod_tls.c", "LoadModule mod_digest.c",
		"ServerType standalone", "DefaultServer on", "DefaultAddress 127.0.0.1", "Port %{env:FTP_PORT}", "SocketBindTight on", "UseIPv6 off",
		"User nobody", "Group nogroup", "Umask 022", "DefaultRoot ~", "RequireValidShell off", "UseReverseDNS off",
		"AuthOrder mod_auth_file.c", "AuthUserFile " + p.path("passwords"), "PidFile " + p.path("pid"),
		"ScoreboardFile " + p.path("scoreboard"), "SystemLog " + p.path("log"), "TransferLog none", "WtmpLog off",
		"<IfModule mod_delay.c>", "DelayEngine off", "</IfModule>",
		"<IfModule mod_ctrls.c>", "ControlsEngine off", "</IfModule>",
		"AllowOverwrite on", "AllowStoreRestart on", "AllowRetrieveRestart on",
	}
	if p.TLS {
		certificate := p.path("certificate.pem")
		conf = append(conf, "TLSEngine on", "TLSRequired off", "TLSECCertificateFile "+certificate, "TLSECCertificateKeyFile "+certificate)
		if !p.RequireReuse {
			conf = append(conf, "TLSOptions NoSessionReuseRequired")
		}
	}
	if err := p.write("conf", append(conf, p.Lines...)...); err != nil {
		return nil, err
	}
	return func(port string) *exec.Cmd {
		cmd := program.Command("-n", "-q", "-c", p.path("conf"))
		cmd.Env = append(cmd.Env, "FTP_PORT="+port)
		return cmd
	}, nil
}

// pureFTPd has its virtual users in a data base that its own tool makes of a text.
func pureFTPd(p plan) (command, error) {
	program, err := unpacked.Locate("/usr/sbin/pure-ftpd")
	if err != nil {
		return nil, err
	}
	tool, err := unpacked.Locate("/usr/bin/pure-pw")
	if err != nil {
		return nil, err
	}
	users := make([]string, 0, len(p.users))
	for i, u := range p.users {
		users = append(users, fmt.Sprintf("%s:%s:%d:%d::%s/./::::::::::::", u.Name, p.hashes[i], owner, owner, u.Home))
	}
	if err := p.write("passwords", users...); err != nil {
		return nil, err
	}
	if out, err := tool.Command("mkdb", p.path("users.pdb"), "-f", p.path("passwords")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pure-pw: %w\n%s", err, out)
	}
	args := []string{"-l", "puredb:" + p.path("users.pdb"), "-A", "-E", "-H", "-u", "1", "-U", "133:022", "-c", "1000", "-g", p.path("pid")}
	if p.TLS {
		certificate := p.path("certificate.pem")
		args = append(args, "-Y", "1", "-2", certificate+","+certificate)
	}
	args = append(args, p.Lines...)
	return func(port string) *exec.Cmd {
		return program.Command(append([]string{"-S", "127.0.0.1," + port}, args...)...)
	}, nil
}
