//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// lftp is lftp(1): PASV on IPv4 and EPSV on IPv6, MLSD, TLS session reuse.
type lftp struct{}

func (lftp) name() string              { return "lftp" }
func (lftp) unspeakable(string) string { return "" }

// unable leaves out IPv6: on loopback lftp takes its own address for unusable and sends
// `EPRT |2|::|port|`, and data goes to no address but the client's own.
func (lftp) unable(m mode) string {
	if m.active && m.ipv6 {
		return "lftp announces the unspecified address over IPv6 loopback; refused with 501"
	}
	return ""
}

func (lftp) word(text string) string { return `"` + escaped(text, `"\`) + `"` }

// do runs one of lftp's own commands after connecting.
func (l lftp) do(s site, command1 string, args ...string) (string, error) {
	scheme := "ftp"
	if s.tls == "implicit" {
		scheme = "ftps"
	}
	settings := []string{"cmd:fail-exit yes", "net:max-retries 1", "net:timeout 50", "net:persist-retries 0",
		"ssl:ca-file " + l.word(shared.cert.certFile),
		fmt.Sprintf("ftp:passive-mode %t", !s.active),
		fmt.Sprintf("ftp:ssl-allow %t", s.tls != "plain"),
		fmt.Sprintf("ftp:ssl-force %t", s.tls == "explicit"),
		fmt.Sprintf("ftp:ssl-protect-data %t", s.tls != "plain"),
		fmt.Sprintf("ftp:ssl-protect-list %t", s.tls != "plain"),
	}
	script := "set " + strings.Join(settings, "; set ")
	script += fmt.Sprintf("; open -u %s,%s %s", l.word(s.user), l.word(password), s.url(scheme, ""))
	script += "; " + command1
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			arg = l.word(arg)
		}
		script += " " + arg
	}
	return s.run(command{argv: []string{"lftp", "-c", script}})
}

func (l lftp) upload(s site, local, remote string) error {
	_, err := l.do(s, "put", local, "-o", remote)
	return err
}

func (l lftp) download(s site, remote, local string) error {
	_, err := l.do(s, "get", remote, "-o", local)
	return err
}

func (l lftp) list(s site, dir string) ([]string, error) {
	out, err := l.do(s, "cd "+l.word(dir)+"; cls", "-1")
	return parseNames(out), err
}

func (l lftp) rename(s site, from, to string) error { return second(l.do(s, "mv", from, to)) }
func (l lftp) remove(s site, remote string) error   { return second(l.do(s, "rm", remote)) }
func (l lftp) mkdir(s site, dir string) error       { return second(l.do(s, "mkdir", dir)) }
func (l lftp) rmdir(s site, dir string) error       { return second(l.do(s, "rmdir", dir)) }

func second(_ string, err error) error { return err }

// special are the characters that mean something to the command lines of the
// descendants of BSD ftp, where a backslash takes the meaning away.
const special = " \"'\\*?[]{}~$&;|<>!#"

// ncftp is the NcFTP family: its batch programs copy and list, its shell does
// the rest.
type ncftp struct{}

func (ncftp) name() string { return "ncftp" }

func (ncftp) unable(m mode) string {
	switch {
	case m.tls != "plain":
		return "ncftp 3 has no TLS"
	case m.ipv6:
		return "ncftp 3 has no IPv6"
	}
	return ""
}

func (ncftp) unspeakable(string) string { return "" }

func (ncftp) args(s site, program string, more ...string) command {
	data := "-F"
	if s.active {
		data = "-E"
	}
	argv := []string{program, "-u", s.user, "-p", password, "-P", s.port, "-t", "50", data}
	if program != "ncftpls" {
		argv = append(argv, "-V")
	}
	return command{argv: append(argv, more...)}
}

func (n ncftp) upload(s site, local, remote string) error {
	return second(s.run(n.args(s, "ncftpput", "-C", s.host, local, remote)))
}

func (n ncftp) download(s site, remote, local string) error {
	return second(s.run(n.args(s, "ncftpget", "-C", s.host, remote, local)))
}

func (n ncftp) list(s site, dir string) ([]string, error) {
	out, err := s.run(n.args(s, "ncftpls", "-1", s.url("ftp", dir+"/")))
	return parseNames(out), err
}

// quoted puts the word into quotes that it does not hold itself. A backslash would not do:
// it leaves ? and * as they are, and rm takes every file that matches.
func (ncftp) quoted(word string) string {
	if strings.Contains(word, `"`) {
		return "'" + word + "'"
	}
	return `"` + word + `"`
}

func (n ncftp) shell(s site, words ...string) error {
	passive := "on"
	if s.active {
		passive = "off"
	}
	for i, word := range words[1:] {
		words[i+1] = n.quoted(word)
	}
	script := fmt.Sprintf("set passive %s\nopen -u %s -p \"%s\" -P %s %s\n%s\nquit\n",
		passive, s.user, password, s.port, s.host, strings.Join(words, " "))
	// The shell's exit code tells nothing; the test looks into the store.
	return second(s.run(command{argv: []string{"ncftp"}, stdin: script}))
}

func (n ncftp) rename(s site, from, to string) error { return n.shell(s, "rename", from, to) }
func (n ncftp) remove(s site, remote string) error   { return n.shell(s, "rm", remote) }
func (n ncftp) mkdir(s site, dir string) error       { return n.shell(s, "mkdir", dir) }
func (n ncftp) rmdir(s site, dir string) error       { return n.shell(s, "rmdir", dir) }

// lineClient is tnftp or inetutils-ftp, the two descendants of BSD ftp: they
// read commands from standard input, and their exit code tells nothing.
type lineClient struct{ program string }

func (c lineClient) name() string { return c.program }

func (c lineClient) unable(m mode) string {
	if m.tls != "plain" {
		return c.program + " has no FTP over TLS"
	}
	return ""
}

func (c lineClient) unspeakable(string) string { return "" }

func (c lineClient) do(s site, words ...string) error {
	data, ip := "-p", "-4"
	if s.active {
		data = "-A"
	}
	if s.ipv6 {
		ip = "-6"
	}
	for i, word := range words[1:] {
		words[i+1] = escaped(word, special)
	}
	script := fmt.Sprintf("user %s \"%s\"\nbinary\n%s\nquit\n", s.user, password, strings.Join(words, " "))
	out, err := s.run(command{argv: []string{c.program, "-n", "-i", "-v", "-g", data, ip, s.host, s.port}, stdin: script})
	if err == nil && strings.Contains(out, "\n5") {
		err = fmt.Errorf("%s: refused:\n%s", c.program, out)
	}
	return err
}

func (c lineClient) upload(s site, local, remote string) error { return c.do(s, "put", local, remote) }

func (c lineClient) download(s site, remote, local string) error {
	return c.do(s, "get", remote, local)
}

// list writes to a local file: NLST with inetutils, LIST with tnftp.
func (c lineClient) list(s site, dir string) ([]string, error) {
	verb := "nlist"
	if c.program == "tnftp" {
		verb = "ls"
	}
	local := filepath.Join(s.home, "listing")
	if err := c.do(s, verb, dir, local); err != nil {
		return nil, err
	}
	listing, err := os.ReadFile(local)
	if err != nil || verb == "nlist" {
		return parseNames(string(listing)), err
	}
	return parseLong(string(listing))
}

func (c lineClient) rename(s site, from, to string) error { return c.do(s, "rename", from, to) }
func (c lineClient) remove(s site, remote string) error   { return c.do(s, "delete", remote) }
func (c lineClient) mkdir(s site, dir string) error       { return c.do(s, "mkdir", dir) }
func (c lineClient) rmdir(s site, dir string) error       { return c.do(s, "rmdir", dir) }
