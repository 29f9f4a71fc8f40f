package ftp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest wants a session to lose nothing when it rests: not half of a command, not the time
// it has been idle, and not the answer to a Shutdown.
func TestRest(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.say("CWD in", "250")
		k.control.Write([]byte("CWD " + strings.Repeat("../", minLine)))
		time.Sleep(3 * restAfter)
		k.say("in", "250")
		k.control.Write([]byte("PWD\r\n"))
		if said := k.hear("257"); !strings.Contains(said, `"/in"`) {
			t.Error(said)
		}
		time.Sleep(2 * restAfter)
		k.say("CWD "+strings.Repeat("../", minLine)+"in\nPWD\nNOOP", "250", "257", "200")
		for range 3 { // each wait begins anew
			time.Sleep(k.server.config.Limits.IdleTimeout - 1)
			k.say("NOOP", "200")
		}
		time.Sleep(k.server.config.Limits.IdleTimeout)
		k.hear("421", "EOF")
	})
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		time.Sleep(restAfter)
		synctest.Wait()
		k.server.Shutdown(t.Context())
		k.hear("421", "EOF")
	})
}

// TestReplyBuffer wants large replies to be written in pieces, each with its own deadline, and
// no memory kept for them.
func TestReplyBuffer(t *testing.T) {
	c := &scriptConn{}
	b := replyBuffer{conn: c}
	b.add(reply{code: 211, head: "Head", lines: []string{strings.Repeat("x", 3*maxPending)}, text: "End"}, nil)
	b.add(reply{code: 200, text: "Small."}, nil)
	if err := b.Flush(); err != nil || len(c.writes) != 5 || cap(b.pending) > maxResting {
		t.Errorf("%d writes, %v, %d octets kept", len(c.writes), err, cap(b.pending))
	}
	c.fail = errUnread
	b.write([]byte("x"))
	for range 2 {
		if err := b.Flush(); err != errUnread { //nolint:errorlint // the very error
			t.Error(err)
		}
	}
}
