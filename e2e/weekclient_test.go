//go:build e2e && week

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errRefused is a reply of 4xx or 5xx.
type errRefused struct{ command, reply string }

func (e errRefused) Error() string { return e.command + ": " + e.reply }

// code is that of the reply that an error tells of; 0 if it is a connection's.
func code(err error) int {
	var refused errRefused
	if !errors.As(err, &refused) {
		return 0
	}
	n, _ := strconv.Atoi(refused.reply[:min(3, len(refused.reply))]) // what is no number is no code
	return n
}

// sending tells whether an error is of a command that sends data to the client.
func sending(err error) bool {
	var refused errRefused
	return errors.As(err, &refused) && (strings.HasPrefix(refused.command, "MLSD ") || strings.HasPrefix(refused.command, "RETR "))
}

// weekClient is a control connection of a client that lives through outages: what goes
// wrong is an error, not the end of the test.
type weekClient struct {
	conn net.Conn
	in   *bufio.Reader
}

// dialWeek connects and logs in.
func dialWeek(address, name, password string) (*weekClient, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, err
	}
	c := &weekClient{conn, bufio.NewReader(conn)}
	if _, err = c.reply("connect"); err == nil {
		_, err = c.do("USER %s", name)
	}
	if err == nil {
		_, err = c.do("PASS %s", password)
	}
	if err == nil {
		_, err = c.do("TYPE I")
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *weekClient) close() { _ = c.conn.Close() } // whatever was under way is told by its reply

// do sends a command and reads its reply, an error if it is 4xx or 5xx.
func (c *weekClient) do(format string, args ...any) (string, error) {
	command := fmt.Sprintf(format, args...)
	if err := c.conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c.conn, command+"\r\n"); err != nil {
		return "", err
	}
	if strings.HasPrefix(command, "PASS ") {
		command = "PASS"
	}
	return c.reply(command)
}

// reply reads one, and returns its last line.
func (c *weekClient) reply(command string) (string, error) {
	code := ""
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("reply to %s: %w", command, err)
		}
		line = strings.TrimRight(line, "\r\n")
		if code == "" {
			code = line[:min(3, len(line))]
		}
		if !strings.HasPrefix(line, code+" ") {
			continue
		}
		if code[0] >= '4' {
			return line, errRefused{command, line}
		}
		return line, nil
	}
}

// transfer begins a command with data.
func (c *weekClient) transfer(command string) (net.Conn, error) {
	line, err := c.do("EPSV")
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(line, "(|||")
	port, _, _ := strings.Cut(after, "|")
	host, _, _ := net.SplitHostPort(c.conn.RemoteAddr().String())
	data, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), patience)
	if err != nil {
		return nil, err
	}
	_ = data.SetDeadline(time.Now().Add(2 * patience)) // of a connection that is there
	if _, err := c.do("%s", command); err != nil {
		_ = data.Close() // nothing went over it
		return nil, err
	}
	return data, nil
}

// fetch is what a command sends.
func (c *weekClient) fetch(command string) ([]byte, error) {
	data, err := c.transfer(command)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(data)
	_ = data.Close() // read to its end, or broken
	if _, last := c.reply(command); last != nil {
		return nil, last
	}
	return got, err
}

// store uploads content.
func (c *weekClient) store(path string, content []byte) error {
	data, err := c.transfer("STOR " + path)
	if err != nil {
		return err
	}
	_, err = data.Write(content)
	err = errors.Join(err, data.Close())
	if _, last := c.reply("STOR " + path); last != nil {
		return last
	}
	return err
}

// rename is RNFR and RNTO.
func (c *weekClient) rename(from, to string) error {
	if _, err := c.do("RNFR %s", from); err != nil {
		return err
	}
	_, err := c.do("RNTO %s", to)
	return err
}

// modified is the time that MDTM tells.
func (c *weekClient) modified(path string) (time.Time, error) {
	line, err := c.do("MDTM %s", path)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse("20060102150405", strings.TrimPrefix(line, "213 "))
}

// list is what is in a directory; a directory's name ends in a slash.
func (c *weekClient) list(dir string) ([]string, error) {
	text, err := c.fetch("MLSD " + dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, line := range splitLines(string(text)) {
		facts, name, _ := strings.Cut(line, " ")
		switch facts = strings.ToLower(facts); {
		case strings.Contains(facts, "type=dir;"):
			names = append(names, name+"/")
		case strings.Contains(facts, "type=file;"):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
