//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"

	"causeway/e2e/stores"
)

// ftplib is Python's ftplib: PASV on IPv4, EPSV on IPv6, no TLS session reuse.
type ftplib struct{}

func (ftplib) name() string              { return "ftplib" }
func (ftplib) unable(mode) string        { return "" }
func (ftplib) unspeakable(string) string { return "" }

func (ftplib) do(s site, args ...string) (string, error) {
	return s.script("python3", "ftplib_client.py", args, nil)
}

func (c ftplib) upload(s site, local, remote string) error {
	return second(c.do(s, "upload", local, remote))
}

func (c ftplib) download(s site, remote, local string) error {
	return second(c.do(s, "download", remote, local))
}

func (c ftplib) list(s site, dir string) ([]string, error) {
	out, err := c.do(s, "list", dir)
	return splitLines(out), err
}

func (c ftplib) rename(s site, from, to string) error { return second(c.do(s, "rename", from, to)) }
func (c ftplib) remove(s site, remote string) error   { return second(c.do(s, "remove", remote)) }
func (c ftplib) mkdir(s site, dir string) error       { return second(c.do(s, "mkdir", dir)) }
func (c ftplib) rmdir(s site, dir string) error       { return second(c.do(s, "rmdir", dir)) }

// basicFTP is Node's basic-ftp: EPSV then PASV, MLSD, TLS session reuse.
type basicFTP struct{}

func (basicFTP) name() string { return "basic-ftp" }

func (basicFTP) unable(m mode) string {
	if m.active {
		return "basic-ftp is passive only"
	}
	return ""
}

func (basicFTP) unspeakable(string) string { return "" }

func (basicFTP) do(s site, args ...string) (string, error) {
	modules, err := stores.Path("basic-ftp", "node_modules")
	if err != nil {
		return "", err
	}
	return s.script("node", "basic_ftp_client.js", args, []string{"NODE_PATH=" + modules})
}

func (c basicFTP) upload(s site, local, remote string) error {
	return second(c.do(s, "upload", local, remote))
}

func (c basicFTP) download(s site, remote, local string) error {
	return second(c.do(s, "download", remote, local))
}

func (c basicFTP) list(s site, dir string) ([]string, error) {
	out, err := c.do(s, "list", dir)
	return splitLines(out), err
}

func (c basicFTP) rename(s site, from, to string) error { return second(c.do(s, "rename", from, to)) }
func (c basicFTP) remove(s site, remote string) error   { return second(c.do(s, "remove", remote)) }
func (c basicFTP) mkdir(s site, dir string) error       { return second(c.do(s, "mkdir", dir)) }
func (c basicFTP) rmdir(s site, dir string) error       { return second(c.do(s, "rmdir", dir)) }

// script runs one of testdata's programs, which take the operation as arguments
// and the site from the environment.
func (s site) script(interpreter, program string, args, env []string) (string, error) {
	path, err := filepath.Abs(filepath.Join("testdata", program))
	if err != nil {
		return "", err
	}
	env = append(env, "FTP_HOST="+s.host, "FTP_PORT="+s.port, "FTP_TLS="+s.tls, "FTP_USER="+s.user, "FTP_PASSWORD="+password,
		"FTP_CA="+shared.cert.certFile, fmt.Sprintf("FTP_ACTIVE=%t", s.active))
	return s.run(command{argv: append([]string{interpreter, path}, args...), env: env})
}
