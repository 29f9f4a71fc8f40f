//go:build e2e

package e2e

import (
	"crypto/tls"
	"net"
	"strings"

	"golang.org/x/sys/unix"
)

// gate is which of the gateways of the kill matrix a cell needs. They differ in nothing
// but what makes a cell sure to be what it is called.
type gate int

const (
	prompt    gate = iota // as configured by default
	patient               // with a grace so long that whatever follows at once is within it
	impatient             // that waits for a silent client no longer than a test does
	gates
)

// way is one in which a client vanishes in the middle of STOR, when all that it has sent
// has been read.
type way struct {
	name    string
	gate    gate
	tlsOnly bool
	proper  bool // the account has ended an upload properly before
	relayed bool
	apart   bool // cannot be told from a goodbye: what it publishes is reported apart
	do      func(v *victim)
}

// victim is a client in the middle of an upload.
type victim struct {
	*session
	data  net.Conn
	relay *relay // nil if it is connected directly
}

func ways() []way {
	return []way{
		{name: "process is killed", do: func(v *victim) { v.dieWith(v.data) }},
		{name: "NOOP, then killed", do: func(v *victim) { v.send("NOOP"); v.dieWith(v.data) }},
		{name: "data reset", do: func(v *victim) {
			_ = rawOf(v.data).SetLinger(0)
			_ = rawOf(v.data).Close()
			v.want("426")
		}},
		{name: "control ends just before data", do: func(v *victim) { v.hangUp(); v.finish() }},
		{name: "control ends together with data", gate: patient, do: func(v *victim) { v.finish(); v.hangUp() }},
		{name: "control ends within the grace", gate: patient, do: func(v *victim) {
			v.finish()
			v.do("NOOP", "200") // an answer takes longer than a killed client's FIN
			v.hangUp()
		}},
		{name: "TLS cut without close_notify", tlsOnly: true, proper: true, do: func(v *victim) {
			_ = rawOf(v.data).CloseWrite()
			v.want("426")
		}},
		{name: "ABOR", do: func(v *victim) {
			v.send("ABOR")
			v.aborted()
		}},
		{name: "ABOR with Telnet Synch", do: func(v *victim) {
			v.synch()
			v.aborted()
		}},
		{name: "silent for ever", gate: impatient, do: func(v *victim) { v.want("426") }},
		{name: "network gone", gate: impatient, relayed: true, do: func(v *victim) { v.relay.mute() }},
		{name: "control ends after the grace", proper: true, apart: true, do: func(v *victim) {
			v.finish()
			v.want("226")
			v.hangUp()
		}},
	}
}

// finish ends the data as a client does that has sent all of it. It does not close: a
// connection with something unread in it would be reset.
func (v *victim) finish() {
	if secured, ok := v.data.(*tls.Conn); ok {
		_ = secured.CloseWrite()
	}
	_ = rawOf(v.data).CloseWrite()
}

// hangUp ends the control connection without a word.
func (v *victim) hangUp() { _ = v.raw.CloseWrite() }

// aborted wants the answers to ABOR, and a session that goes on.
func (v *victim) aborted() {
	v.t.Helper()
	v.want("426")
	v.want("226", "225")
	v.do("NOOP", "200")
}

// synch is ABOR as RFC 959 §4.1.3 wants it: Telnet IP and Synch go before. Their last octet
// but one is urgent in clear; TLS knows no urgent octets.
func (v *victim) synch() {
	v.t.Helper()
	const interrupt, mark = "\xff\xf4\xff", "\xf2"
	if v.conn != net.Conn(v.raw) {
		v.send(interrupt + mark + "ABOR")
		return
	}
	raw, err := v.raw.SyscallConn()
	if err != nil {
		v.fatalf("%v", err)
	}
	var sent error
	err = raw.Write(func(fd uintptr) bool {
		sent = unix.Send(int(fd), []byte(interrupt), unix.MSG_OOB)
		return sent != unix.EAGAIN
	})
	if err != nil || sent != nil {
		v.fatalf("urgent octets: %v, %v", err, sent)
	}
	v.send(mark + "ABOR")
}

// modes of TLS in the kill matrix.
const (
	inClear = iota
	explicit12
	explicit13
	implicit13
	tlsModes
)

func tlsMode(mode int) string {
	return strings.Split("in clear,explicit TLS 1.2,explicit TLS 1.3,implicit TLS 1.3", ",")[mode]
}

// enter connects in a mode and logs in.
func (g *gateway) enter(v *victim, mode int, user string) {
	v.t.Helper()
	t, address := v.t, g.address(false, mode == implicit13)
	if v.relay != nil {
		address = v.relay.to(address)
	}
	config := shared.cert.clientTLS()
	config.MinVersion, config.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	switch mode {
	case inClear:
		v.session = connect(t, address)
	case explicit12:
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		fallthrough
	case explicit13:
		v.session = connect(t, address)
		v.secure(config)
	case implicit13:
		v.session = connectTLS(t, address, config)
		v.do("PBSZ 0", "200")
		v.do("PROT P", "200")
	}
	if v.relay != nil {
		v.via = v.relay.to
	}
	v.login(user)
}
