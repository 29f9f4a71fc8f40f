//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// leavers is how many users the README's page speaks of.
const leavers = 500

// TestLeavingVsftpdAsWritten runs the commands of the README's page, as they stand there, on a
// machine with vsftpd and 500 users, and looks after each step what clients see. Only the
// bucket is on a server of the machine, and PASSWORD is the user's.
func TestLeavingVsftpdAsWritten(t *testing.T) {
	steps := page(t)
	m := boot(t, leavers)
	step := func(name string) string {
		t.Helper()
		var said strings.Builder
		lines, ok := steps[name]
		if !ok {
			t.Fatalf("the README has no step %q", name)
		}
		for _, line := range lines {
			line = strings.ReplaceAll(line, "region: eu-central-1}", `region: us-east-1, endpoint: 'http://127.0.0.1:7070', path_style: true}`)
			said.WriteString(m.must(strings.ReplaceAll(line, ":PASSWORD ", ":"+secretOf(1)+" ")))
		}
		return said.String()
	}
	step("Plan")
	if said := step("Take the users along"); !strings.Contains(said, fmt.Sprintf("%d accounts were written to users.yaml, 0 were not taken", leavers)) {
		t.Fatalf("import:\n%s", said)
	}
	step("Put vsftpd behind")
	m.must("echo 'late:'$(echo late-pass | openssl passwd -1 -stdin) >>/etc/vsftpd.passwd && cp -a /srv/ftp/user001 /srv/ftp/late")
	if said := step("Try it"); !strings.Contains(said, " in") {
		t.Fatalf("user001 does not see what is on vsftpd:\n%s", said)
	}
	m.client(2121, 2).reads("in/old.txt", "old of user002")
	m.client(2121, 7).writes("in/tried.txt", "by both")
	m.client(21, 3).writes("in/there.txt", "by vsftpd")
	m.drained()
	m.client(21, 7).reads("in/tried.txt", "by both")

	step("Switch")
	m.client(21, 2).reads("in/old.txt", "old of user002")
	m.secure(21, 2).reads("in/old.txt", "old of user002")
	m.client(21, 3).reads("in/there.txt", "by vsftpd")
	m.client(21, 4).writes("in/new.txt", "by causeway")
	m.client(21, 5).deletes("in/old.txt")
	m.late().reads("in/old.txt", "old of user001")

	step("Move the files")
	m.client(21, 5).lacks("in/old.txt")

	m.drained()
	step("The way back")
	m.client(21, 4).reads("in/new.txt", "by causeway")
	m.client(21, 5).lacks("in/old.txt")
	m.client(21, 6).writes("in/back.txt", "by vsftpd again")
	step("Switch")
	m.client(21, 6).reads("in/back.txt", "by vsftpd again")
	step("Move the files")

	step("Leave")
	if said, code := m.run("pgrep -x vsftpd"); code != 1 {
		t.Fatalf("vsftpd still runs: %s", said)
	}
	m.must("mv /srv/ftp /srv/gone")
	m.everybody(21, 5)
	m.client(21, 3).reads("in/there.txt", "by vsftpd")
	m.client(21, 4).reads("in/new.txt", "by causeway")
	m.client(21, 5).lacks("in/old.txt")
	m.client(21, 6).reads("in/back.txt", "by vsftpd again")
	m.client(21, 7).reads("in/tried.txt", "by both")
	m.late().reads("in/old.txt", "old of user001")
}

// page returns the commands of the README's page, by step.
func page(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n## Leave an old FTP server\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	if !ok {
		t.Fatal("the README has no such page")
	}
	steps, name := map[string][]string{}, ""
	title := regexp.MustCompile(`^\*\*(?:\d\. )?([^.*]+)\.?\*\*`)
	inside := false
	for line := range strings.Lines(section) {
		line = strings.TrimRight(line, "\n")
		if found := title.FindStringSubmatch(line); found != nil {
			name = found[1]
		}
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
		case inside:
			steps[name] = append(steps[name], line)
		}
	}
	return steps
}

// visitor is a user's curl, at a port of the machine.
type visitor struct {
	*machine
	login, url string
}

func (m *machine) client(port, user int) visitor {
	return visitor{m, fmt.Sprintf("-u %s:%s", nameOf(user), secretOf(user)), fmt.Sprintf("ftp://127.0.0.1:%d/", port)}
}

// secure is a user's curl that asks for TLS.
func (m *machine) secure(port, user int) visitor {
	c := m.client(port, user)
	c.login += " --ssl-reqd -k"
	return c
}

// late is who has come to vsftpd after the users were taken along.
func (m *machine) late() visitor {
	return visitor{m, "-u late:late-pass", "ftp://127.0.0.1:21/"}
}

// drained waits until what was written is on vsftpd, too.
func (m *machine) drained() {
	m.t.Helper()
	m.must(`until curl -s http://127.0.0.1:9121/metrics | grep -q '^causeway_behind_mirror_queue{store="files"} 0$'; do sleep 0.1; done`)
}

func (c visitor) reads(path, want string) {
	c.t.Helper()
	if got := strings.TrimSpace(c.must("curl -sS " + c.login + " " + c.url + path)); got != want {
		c.t.Fatalf("%s has %q, not %q", path, got, want)
	}
}

func (c visitor) writes(path, text string) {
	c.t.Helper()
	c.must("printf '" + text + "' | curl -sS " + c.login + " -T - " + c.url + path)
}

func (c visitor) deletes(path string) {
	c.t.Helper()
	c.must("curl -sS " + c.login + " -Q 'DELE " + path + "' " + c.url + " -o /dev/null")
}

// lacks wants to hear that there is no such file, which curl ends with 78 for.
func (c visitor) lacks(path string) {
	c.t.Helper()
	if said, code := c.run("curl -sS " + c.login + " " + c.url + path); code != 78 {
		c.t.Fatalf("%s: curl ends with %d, not 78: %s", path, code, said)
	}
}

// everybody has each user but one log in with the old password and read the old file.
func (m *machine) everybody(port, but int) {
	m.t.Helper()
	m.must(fmt.Sprintf(`reads() { [ $1 = %d ] || [ "$(curl -sS -u user$(printf %%03d $1):old-pass-$1 ftp://127.0.0.1:%d/in/old.txt)" = "old of user$(printf %%03d $1)" ]; }; export -f reads`, but, port))
	m.must(fmt.Sprintf("seq %d | xargs -P 8 -I N bash -c 'reads N'", leavers))
}
