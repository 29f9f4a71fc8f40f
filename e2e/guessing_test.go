//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// guessers are where a run of guesses comes from, and what at.
type guessers struct {
	from     []string // addresses of this machine
	at       []string // accounts
	attempts int
}

// guess is one attempt of who waits no longer than that for the answer: a right password is
// answered at once, so that an answer that does not come is as good as a no. It tells whether it was let in, or not even
// to the door.
func guess(address, from, user, password string, hurry time.Duration) (in, shut bool, err error) {
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("tcp", address)
	if err != nil {
		return false, false, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // an error shows at once
	lines := bufio.NewReader(conn)
	greeting, err := lines.ReadString('\n')
	if err != nil || strings.HasPrefix(greeting, "421") {
		return false, true, nil
	}
	if _, err := io.WriteString(conn, "USER "+user+"\r\nPASS "+password+"\r\n"); err != nil {
		return false, false, err
	}
	if asked, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(asked, "331") {
		return false, false, fmt.Errorf("USER: %q, %w", asked, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(hurry)) // as above
	answer, err := lines.ReadString('\n')
	return err == nil && strings.HasPrefix(answer, "230"), false, nil
}

// run guesses from sixteen sessions at a time, and returns how often nobody was at the door.
func (g guessers) run(t *testing.T, address string) (shut int64) {
	t.Helper()
	var next, closed atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for n := int(next.Add(1)); n <= g.attempts; n = int(next.Add(1)) {
				from, at := g.from[n%len(g.from)], g.at[n%len(g.at)]
				in, refused, err := guess(address, from, at, fmt.Sprint("guess", n), time.Second)
				switch {
				case err != nil:
					t.Errorf("guess %d from %s: %v", n, from, err)
				case in:
					t.Errorf("guess %d was right", n)
				case refused:
					closed.Add(1)
				}
			}
		})
	}
	all.Wait()
	return closed.Load()
}

// looked counts the wrong passwords that were looked at: the log tells of each that failed,
// and which of those were throttled.
func (g *gateway) looked(from, at []string) int {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	n := 0
	for _, r := range g.log.records {
		if r == nil || !slices.Contains(from, r.text("remote")) || !slices.Contains(at, r.text("user")) {
			continue
		}
		switch r.text("msg") {
		case "login failed":
			n++
		case "login throttled":
			n--
		}
	}
	return n
}

// banned tells whether the log says of an address that it is.
func (g *gateway) banned(address string) bool {
	g.log.mu.Lock()
	defer g.log.mu.Unlock()
	return slices.ContainsFunc(g.log.records, func(r record) bool { return r["msg"] == "address banned" && r["remote"] == address })
}

// addressesIn are n addresses of a net of this machine.
func addressesIn(network, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("127.0.%d.%d", network, i+1)
	}
	return list
}

// TestA3_A4_A5_GuessersOverTheWire counts what those have who guess as fast as they can, from
// one address and from many, with the guard as it is by default, and whether owners get in
// meanwhile.
func TestA3_A4_A5_GuessersOverTheWire(t *testing.T) {
	t.Parallel()
	s := setup{plain4: true, extra: "guard: {exempt: [\"127.0.9.0/24\"]}\n"}
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprint("cam", i))
		s.accounts = append(s.accounts, account{name: names[i], store: bucketOf("localdir"), prefix: random(4) + "/"})
	}
	g := start(t, s)
	address := g.address(false, false)
	owner := func(where, from, name string) {
		t.Helper()
		if in, shut, err := guess(address, from, name, password, patience); err != nil || !in {
			t.Errorf("%s: the owner of %s is not let in: door shut %v, %v", where, name, shut, err)
		}
	}
	nat, home := []string{"127.0.5.1"}, "127.0.6.1"
	for _, known := range []string{nat[0], home} { // as on every day before
		owner("before", known, "cam0")
	}
	owner("before", home, "cam1")

	began := time.Now()
	alone := addressesIn(8, 1)
	if (guessers{nat, names[1:], 130}).run(t, address) > 0 {
		t.Error("the door is shut where an owner is at home")
	}
	if (guessers{alone, names[1:], 130}).run(t, address) == 0 {
		t.Error("the door is open to who was banned")
	}
	minutes := int(time.Since(began).Minutes()) + 1
	var looked []int
	for _, from := range [][]string{nat, alone} {
		n := g.looked(from, names)
		looked = append(looked, n)
		if n < 1 || n > 10*minutes || !g.banned(from[0]) {
			t.Errorf("%s: %d guesses were looked at in %d min; banned: %v", from, n, minutes, g.banned(from[0]))
		}
	}
	owner("behind the guesser's address", nat[0], "cam0")
	owner("at home", home, "cam1")

	many := addressesIn(7, 100)
	guessers{many, names[1:2], 200}.run(t, address)
	at := g.looked(slices.Concat(many, nat, alone), names[1:2])
	if at < 1 || at > 60 {
		t.Errorf("of 200 guesses at one account from 100 addresses %d were looked at", at)
	}
	owner("where it is known", home, "cam1")

	exempt := addressesIn(9, 1)
	guessers{exempt, names, 40}.run(t, address)
	if n := g.looked(exempt, names); n != 40 {
		t.Errorf("of 40 guesses from an exempt address %d were looked at", n)
	}
	t.Logf("130 guesses from each of two addresses: %d looked at until the ban; 200 at one account from 100 addresses: %d looked at; %v in all",
		looked, at, time.Since(began).Round(time.Second))
}
