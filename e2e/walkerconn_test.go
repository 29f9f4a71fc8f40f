//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"time"
)

// walker is a partner who goes astray. One goroutine has it.
type walker struct {
	partner  partner
	doors    chan struct{} // holds a value for each who logs in
	all      []partner
	siblings []partner // whose names begin like the walker's
	tricks   []trick
	rand     *rand.Rand
	verbs    map[string]int // commands sent, by verb
	sent     int
	last     answer

	raw  net.Conn
	conn *textproto.Conn
}

// answer is what came of a command.
type answer struct {
	line string // as it was sent
	code int
	text string
	data string
}

func (a answer) String() string {
	return fmt.Sprintf("C: %q\nS: %d %s\nD> %q", a.line, a.code, a.text, a.data)
}

// enter logs in.
func (w *walker) enter(address string) error {
	raw, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	w.raw, w.conn = raw, textproto.NewConn(raw)
	if _, _, err := w.conn.ReadResponse(220); err != nil {
		return err
	}
	w.doors <- struct{}{} // or those behind would wait too long for their hashes to be computed
	defer func() { <-w.doors }()
	answers, err := w.say([]string{"USER " + w.partner.name, "PASS " + password, "TYPE I"})
	if err == nil && answers[1].code != 230 {
		err = fmt.Errorf("not let in:\n%s", answers[1])
	}
	return err
}

// say sends lines in one segment and reads their final replies.
func (w *walker) say(lines []string) ([]answer, error) {
	_ = w.raw.SetDeadline(time.Now().Add(10 * patience)) // an error shows at once
	if _, err := io.WriteString(w.raw, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		return nil, err
	}
	answers := make([]answer, len(lines))
	for i, line := range lines {
		w.count(line)
		a, err := w.hear(line)
		if err != nil {
			return nil, err
		}
		answers[i] = a
	}
	return answers, nil
}

// count counts a command.
func (w *walker) count(line string) {
	w.sent++
	verb, _, _ := strings.Cut(line, " ")
	w.verbs[verb]++
}

// hear reads a reply.
func (w *walker) hear(line string) (answer, error) {
	code, text, err := w.conn.ReadResponse(0)
	if err != nil {
		return answer{}, fmt.Errorf("after %q, and %s: %w", line, w.last, err)
	}
	w.last = answer{line: line, code: code, text: text}
	return w.last, nil
}

// do takes a step.
func (w *walker) do(s step) ([]answer, error) {
	if s.twins {
		if _, err := w.say([]string{"REST 0", "RANG 1 0"}); err != nil { // what only the first would use up
			return nil, err
		}
	}
	if !s.data {
		return w.say(s.lines)
	}
	var answers []answer
	for _, line := range s.lines {
		a, err := w.move(line, s.send)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

var passivePort = regexp.MustCompile(`\|\|\|(\d+)\|`)

// move sends a command that has a data connection, if it comes as far.
func (w *walker) move(line, send string) (answer, error) {
	agreed, err := w.say([]string{"EPSV"})
	if err != nil {
		return answer{}, err
	}
	port := passivePort.FindStringSubmatch(agreed[0].text)
	if port == nil {
		return answer{}, fmt.Errorf("no data connection: %s", agreed[0])
	}
	host, _, _ := net.SplitHostPort(w.raw.RemoteAddr().String())
	data, err := net.DialTimeout("tcp", net.JoinHostPort(host, port[1]), patience)
	if err != nil {
		return answer{}, err
	}
	defer data.Close()
	_ = data.SetDeadline(time.Now().Add(patience)) // an error shows at once
	answers, err := w.say([]string{line})
	if err != nil || answers[0].code/100 != 1 {
		return append(answers, answer{})[0], err
	}
	a := answers[0]
	if hasData(line) {
		_, _ = io.WriteString(data, send) // what is not taken is refused by the final reply
	} else {
		var octets []byte
		octets, err = io.ReadAll(data)
		a.data = string(octets)
	}
	_ = data.Close() // the final reply tells what came of it
	if err != nil {
		return a, fmt.Errorf("data of %q: %w", line, err)
	}
	final, err := w.hear(line)
	a.code, a.text = final.code, a.text+"\n"+final.text
	return a, err
}

// hasData tells whether a command's data goes to the server.
func hasData(line string) bool {
	verb, _, _ := strings.Cut(line, " ")
	return verb == "STOR" || verb == "APPE" || verb == "STOU"
}

// leave says goodbye.
func (w *walker) leave() error {
	_, err := w.say([]string{"QUIT"})
	_ = w.conn.Close() // it was said
	return err
}
