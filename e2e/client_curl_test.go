//go:build e2e

package e2e

import (
	"os/exec"
	"regexp"
	"strings"
	"sync"
)

// curl is curl(1): EPSV first, CWD once per directory, EPRT first when active.
type curl struct{}

func (curl) name() string              { return "curl" }
func (curl) unspeakable(string) string { return "" }

// unable leaves out what two releases cannot do: under PROT P they send the data of an
// active connection in clear, which [TestClearDataUnderPrivateProtection] has refused
// (github.com/curl/curl/issues/10666).
func (curl) unable(m mode) string {
	if m.active && m.tls != "plain" && sendsActiveInClear() {
		return "curl 7.87 and 7.88 send active data in clear under PROT P; refused with 522"
	}
	return ""
}

// sendsActiveInClear tells whether the installed curl is one of the two.
var sendsActiveInClear = sync.OnceValue(func() bool {
	out, err := exec.Command("curl", "--version").Output()
	return err == nil && regexp.MustCompile(`^curl 7\.8[78]\.`).Match(out)
})

func (curl) args(s site, more ...string) command {
	argv := []string{"curl", "-sS", "--max-time", "50", "-u", s.user + ":" + password, "--cacert", shared.cert.certFile}
	if s.tls == "explicit" {
		argv = append(argv, "--ssl-reqd")
	}
	if s.active {
		argv = append(argv, "--ftp-port", "-")
	}
	return command{argv: append(argv, more...)}
}

func (curl) url(s site, remote string) string {
	if s.tls == "implicit" {
		return s.url("ftps", remote)
	}
	return s.url("ftp", remote)
}

func (c curl) upload(s site, local, remote string) error {
	_, err := s.run(c.args(s, "-T", local, c.url(s, remote)))
	return err
}

func (c curl) download(s site, remote, local string) error {
	_, err := s.run(c.args(s, "-o", local, c.url(s, remote)))
	return err
}

func (c curl) list(s site, dir string) ([]string, error) {
	out, err := s.run(c.args(s, c.url(s, dir+"/")))
	if err != nil {
		return nil, err
	}
	return parseLong(out)
}

// quote sends commands before a transfer that --head leaves out.
func (c curl) quote(s site, commands ...string) error {
	argv := []string{"--head", "-o", "/dev/null"}
	for _, command := range commands {
		argv = append(argv, "-Q", command)
	}
	_, err := s.run(c.args(s, append(argv, c.url(s, "/"))...))
	return err
}

func (c curl) rename(s site, from, to string) error { return c.quote(s, "RNFR "+from, "RNTO "+to) }
func (c curl) remove(s site, remote string) error   { return c.quote(s, "DELE "+remote) }
func (c curl) mkdir(s site, dir string) error       { return c.quote(s, "MKD "+dir) }
func (c curl) rmdir(s site, dir string) error       { return c.quote(s, "RMD "+dir) }

// wget is wget(1), which only reads. It asks for LIST -a and keeps it in .listing.
type wget struct{}

const wgetReads = lack("wget only downloads")

func (wget) name() string                      { return "wget" }
func (wget) unable(mode) string                { return "" }
func (wget) upload(site, string, string) error { return wgetReads }
func (wget) rename(site, string, string) error { return wgetReads }
func (wget) remove(site, string) error         { return wgetReads }
func (wget) mkdir(site, string) error          { return wgetReads }
func (wget) rmdir(site, string) error          { return wgetReads }

func (wget) unspeakable(string) string { return "" }

func (wget) args(s site, remote string, more ...string) command {
	argv := []string{"wget", "-nv", "--tries=1", "--timeout=50", "--no-glob", "--user=" + s.user, "--password=" + password,
		"--ca-certificate=" + shared.cert.certFile}
	scheme := "ftp"
	if s.tls != "plain" {
		scheme = "ftps"
	}
	if s.tls == "implicit" {
		argv = append(argv, "--ftps-implicit")
	}
	if s.active {
		argv = append(argv, "--no-passive-ftp")
	}
	return command{argv: append(append(argv, more...), s.url(scheme, remote))}
}

func (w wget) download(s site, remote, local string) error {
	_, err := s.run(w.args(s, remote, "-O", local))
	return err
}

func (w wget) list(s site, dir string) ([]string, error) {
	if _, err := s.run(w.args(s, dir+"/", "--no-remove-listing", "-O", "index.html")); err != nil {
		return nil, err
	}
	listing, err := s.run(command{argv: []string{"cat", ".listing"}})
	if err != nil {
		return nil, err
	}
	return parseLong(listing)
}

// busybox is its ftpput and ftpget applets: EPSV or PASV, nothing else.
type busybox struct{}

const busyboxCopies = lack("busybox has only ftpput and ftpget")

func (busybox) name() string { return "busybox" }

func (busybox) unable(m mode) string {
	switch {
	case m.tls != "plain":
		return "busybox ftpput/ftpget have no TLS"
	case m.active:
		return "busybox ftpput/ftpget are passive only"
	}
	return ""
}

func (busybox) unspeakable(string) string           { return "" }
func (busybox) list(site, string) ([]string, error) { return nil, busyboxCopies }
func (busybox) rename(site, string, string) error   { return busyboxCopies }
func (busybox) remove(site, string) error           { return busyboxCopies }
func (busybox) mkdir(site, string) error            { return busyboxCopies }
func (busybox) rmdir(site, string) error            { return busyboxCopies }

func (busybox) copy(s site, applet string, files ...string) error {
	_, err := s.run(command{argv: append([]string{"busybox", applet, "-u", s.user, "-p", password, "-P", s.port, s.host}, files...)})
	return err
}

func (b busybox) upload(s site, local, remote string) error {
	return b.copy(s, "ftpput", remote, local)
}

func (b busybox) download(s site, remote, local string) error {
	return b.copy(s, "ftpget", local, remote)
}

// escaped puts a backslash before each of the characters.
func escaped(text, characters string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(characters, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
