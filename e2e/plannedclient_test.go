//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// script is what the client says: commands, a session to each list. What is behind " <- "
// is sent by the data connection.
func script() [][]string {
	return [][]string{{
		"NOOP", "PWD", "SYST", "FEAT", "HELP", "AUTH TLS", "STAT", "RETR a.txt", "NONSENSE", "PASS early",
		"USER joe", "PASS wrong", "USER joe", "PASS " + joe.Password,
		"SYST", "FEAT", "HELP", "HELP RETR", "STAT", "NOOP", "PWD",
		"TYPE I", "TYPE A", "TYPE E", "TYPE I", "MODE S", "MODE B", "STRU F", "STRU P", "ALLO 10", "OPTS UTF8 ON", "OPTS NONSENSE",
		"ACCT x", "SMNT /", "NONSENSE", "SITE HELP", "SITE NONSENSE", "SITE CHMOD 600 a.txt",
		"CWD d", "PWD", "CDUP", "CWD e", "CWD ..", "CWD none", "CWD a.txt",
		"SIZE a.txt", "SIZE none", "SIZE d", "MDTM a.txt", "MDTM none", "MDTM d", "MLST a.txt", "MLST none",
		"RETR a.txt", "LIST",
		"PASV", "RETR a.txt", "EPSV", "RETR a.txt", "EPSV", "RETR none", "EPSV", "RETR d", "EPSV", "RETR with space.txt",
		"REST 6", "EPSV", "RETR a.txt", "REST x", "EPSV ALL x",
		"EPSV", "LIST", "EPSV", "LIST -a", "EPSV", "LIST d", "EPSV", "LIST none", "EPSV", "LIST a.txt",
		"PASV", "NLST", "EPSV", "NLST d", "EPSV", "NLST none", "EPSV", "NLST *.txt", "EPSV", "NLST e", "EPSV", "MLSD", "EPSV", "MLSD none",
		"STAT a.txt", "STAT d", "STAT none",
		"EPSV", "STOR new.txt <- one\n", "EPSV", "STOR new.txt <- two\n", "EPSV", "APPE new.txt <- three\n", "EPSV", "APPE app.txt <- four\n",
		"SIZE new.txt", "EPSV", "RETR new.txt", "REST 4", "EPSV", "STOR new.txt <- 3\n", "EPSV", "RETR new.txt",
		"EPSV", "STOR nowhere/x.txt <- y", "DELE nowhere/x.txt", "RMD nowhere", "EPSV", "STOR d <- y", "EPSV", "STOR d/c.txt <- c", "EPSV", "STOR empty.txt <- ", "EPSV", "STOU <- u",
		"MKD m", "MKD m", "MKD nowhere/x", "RMD nowhere/x", "RMD nowhere", "MKD a.txt", "CWD d", "XCUP", "RMD m", "RMD m", "RMD d", "RMD a.txt", "XMKD x", "XPWD", "XRMD x",
		"RNFR new.txt", "RNTO new2.txt", "RNFR none", "RNTO y", "RNFR d/c.txt", "RNTO nowhere/x", "RNFR nowhere/x", "RNTO d/c.txt", "RMD nowhere", "RNFR d", "RNTO d2", "RNFR app.txt", "RNTO new2.txt", "RNFR new2.txt", "NOOP", "RNTO new3.txt",
		"DELE new2.txt", "DELE new3.txt", "DELE none", "DELE e", "DELE empty.txt",
		"MFMT 20200102030405 a.txt", "MDTM 20200102030405 a.txt", "MDTM a.txt",
		"PORT 1,2,3", "PORT 127,0,0,1,0,1", "EPRT |3|x|1|", "PORT 192,0,2,1,9,9", "ABOR", "SIZE", "RETR", "CWD", "USER joe", "QUIT",
	}, {
		"USER anonymous", "PASS me@example.org", "PWD", "USER ftp", "PASS x", "QUIT",
	}, {
		"USER nobody here", "PASS x", "USER root", "PASS x", "QUIT",
	}}
}

// storyteller is a control connection, and what was heard on it.
type storyteller struct {
	t     *testing.T
	conn  net.Conn
	in    *textproto.Reader
	data  string // the address of the last PASV or EPSV; "" once it was used
	said  map[string]int
	heard []heard
}

// tell plays the script and returns what was heard.
func tell(t *testing.T, address string) []heard {
	t.Helper()
	s := &storyteller{t: t, said: map[string]int{}}
	for _, session := range script() {
		conn, err := net.DialTimeout("tcp", address, patience)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(2 * patience)) // for the whole session
		s.conn, s.in, s.data = conn, textproto.NewReader(bufio.NewReader(conn)), ""
		s.reply("greeting")
		for _, command := range session {
			s.say(command)
		}
		_ = conn.Close() // QUIT was said
	}
	return s.heard
}

// say sends a command, moves the data, and remembers what was heard.
func (s *storyteller) say(line string) {
	s.t.Helper()
	command, data, _ := strings.Cut(line, " <- ")
	verb, _, _ := strings.Cut(command, " ")
	var conn net.Conn
	if slices.Contains([]string{"RETR", "LIST", "NLST", "MLSD", "STOR", "APPE", "STOU"}, verb) && s.data != "" {
		var err error
		if conn, err = net.DialTimeout("tcp", s.data, patience); err != nil {
			s.t.Fatalf("%s: data connection: %v", line, err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		s.data = ""
	}
	if _, err := io.WriteString(s.conn, command+"\r\n"); err != nil {
		s.hear(line, "closed", err.Error())
		return
	}
	code, text := s.read()
	what := code
	if code == "227" || code == "229" {
		s.announced(text)
	}
	if conn != nil && strings.HasPrefix(code, "1") {
		got := s.move(conn, verb, data)
		final, said := s.read()
		what, text = strings.TrimSpace(code+" "+final+" "+got), text+" / "+said
	}
	s.hear(line, what, text)
}

// move sends or receives, and returns what was received if servers must send the same.
func (s *storyteller) move(conn net.Conn, verb, data string) string {
	s.t.Helper()
	if verb == "STOR" || verb == "APPE" || verb == "STOU" {
		if _, err := io.WriteString(conn, data); err != nil {
			s.t.Fatalf("%s: %v", verb, err)
		}
		_ = conn.Close() // the end of the data
		return ""
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatalf("%s: %v", verb, err)
	}
	_ = conn.Close() // all has been read; ProFTPD waits for it
	switch verb {
	case "RETR":
		return strconv.Quote(string(got))
	case "NLST":
		names := strings.Fields(strings.ReplaceAll(string(got), " ", "_"))
		slices.Sort(names)
		return fmt.Sprint(names)
	}
	return ""
}

// announced remembers the port that a reply names. Hosts are what was connected to.
func (s *storyteller) announced(text string) {
	s.t.Helper()
	host, _, _ := net.SplitHostPort(s.conn.RemoteAddr().String())
	inside, ok := between(text, "(", ")")
	if !ok {
		s.t.Fatalf("no address in %q", text)
	}
	port := strings.Trim(inside, "|")
	if numbers := strings.Split(inside, ","); len(numbers) == 6 {
		high, _ := strconv.Atoi(numbers[4])
		low, _ := strconv.Atoi(numbers[5])
		port = strconv.Itoa(high<<8 | low)
	}
	s.data = net.JoinHostPort(host, port)
}

func between(text, open, end string) (string, bool) {
	_, rest, ok := strings.Cut(text, open)
	inside, _, ok2 := strings.Cut(rest, end)
	return inside, ok && ok2
}

// reply reads one that no command asked for.
func (s *storyteller) reply(name string) {
	code, text := s.read()
	s.hear(name, code, text)
}

func (s *storyteller) hear(command, what, text string) {
	s.said[command]++
	if n := s.said[command]; n > 1 {
		command += fmt.Sprintf(" (%d)", n)
	}
	s.heard = append(s.heard, heard{command, what, text})
}

// read reads a whole reply.
func (s *storyteller) read() (code, text string) {
	var lines []string
	for {
		line, err := s.in.ReadLine()
		if err != nil {
			return "closed", err.Error()
		}
		lines = append(lines, line)
		if code == "" {
			code = line[:min(3, len(line))]
		}
		if strings.HasPrefix(line, code+" ") || line == code {
			return code, strings.Join(lines, " ")
		}
	}
}
