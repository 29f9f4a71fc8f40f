//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"sync"
)

// mode is how a client connects.
type mode struct {
	tls    string // plain, explicit or implicit
	active bool
	ipv6   bool
}

func (m mode) String() string {
	data, ip := "pasv", "4"
	if m.active {
		data = "port"
	}
	if m.ipv6 {
		ip = "6"
	}
	return m.tls + "/" + data + "/" + ip
}

// modes are the columns of the matrix.
func modes() []mode {
	var all []mode
	for _, tls := range []string{"plain", "explicit", "implicit"} {
		for _, active := range []bool{false, true} {
			for _, ipv6 := range []bool{false, true} {
				all = append(all, mode{tls, active, ipv6})
			}
		}
	}
	return all
}

// site is a gateway as one client sees it.
type site struct {
	mode
	host, port string
	user       string
	home       string // the client's HOME and working folder, empty at first
}

// newSite makes the folder dir/home for the client.
func newSite(address string, m mode, user, home string) (site, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return site{}, err
	}
	return site{m, host, port, user, home}, os.MkdirAll(home, 0o700)
}

// client is a program that speaks FTP. Remote paths are absolute, local ones
// too. An operation that the program does not have returns a lack.
type client interface {
	name() string
	// unable says why the program cannot speak the mode, or nothing.
	unable(mode) string
	// unspeakable says why the program cannot say the file name, or nothing.
	unspeakable(file string) string
	upload(s site, local, remote string) error
	download(s site, remote, local string) error
	list(s site, dir string) ([]string, error) // names without the directory
	rename(s site, from, to string) error
	remove(s site, remote string) error
	mkdir(s site, dir string) error
	rmdir(s site, dir string) error
}

func clients() []client {
	return []client{curl{}, lftp{}, ncftp{}, wget{}, lineClient{"tnftp"}, lineClient{"inetutils-ftp"}, busybox{}, ftplib{}, basicFTP{}}
}

// lack is the reason why a program has no such operation.
type lack string

func (l lack) Error() string { return string(l) }

// command is one run of a client.
type command struct {
	argv  []string
	stdin string
	env   []string
}

// run runs the program in the site's folder and returns its standard output. An
// error holds everything that it said.
func (s site) run(c command) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir = s.home
	cmd.Env = append([]string{"HOME=" + s.home, "LC_ALL=C.UTF-8", "TERM=dumb", "PATH=" + os.Getenv("PATH")}, c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	cmd.WaitDelay = patience / 2 // what it said is there, but a busy machine may be slow to read it
	var all journalWriter
	var out strings.Builder
	cmd.Stdout = io.MultiWriter(&out, &all)
	cmd.Stderr = &all
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%q: %w\n%s", c.argv, err, all.text.String())
	}
	return out.String(), nil
}

// journalWriter collects both output streams of a program.
type journalWriter struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *journalWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// url returns the URL of a remote path, as scheme:// and escaped segments.
func (s site) url(scheme, remote string) string {
	segments := strings.Split(remote, "/")
	for i, segment := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(segment), "+", "%2B")
	}
	return scheme + "://" + net.JoinHostPort(s.host, s.port) + strings.Join(segments, "/")
}

// longLine matches a line of LIST; the name follows exactly one space.
var longLine = regexp.MustCompile(`^[-d][-rwx]{9}\s+\d+\s+\S+\s+\S+\s+\d+\s+\w{3}\s+\d+\s+[\d:]+ (.*)$`)

// parseLong returns the names of a LIST reply.
func parseLong(listing string) ([]string, error) {
	var names []string
	for _, line := range splitLines(listing) {
		m := longLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("not a line of ls -l: %q", line)
		}
		names = append(names, m[1])
	}
	return names, nil
}

// parseNames returns the names of a listing with one path or name per line.
func parseNames(listing string) []string {
	var names []string
	for _, line := range splitLines(listing) {
		names = append(names, path.Base(line))
	}
	return names
}

func splitLines(text string) []string {
	text = strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
