package gateway

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"causeway/configs"
)

func TestS11_GraceOfALink(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	for _, c := range []struct {
		name string
		link linkState
		want time.Duration
	}{
		{"loopback", linkState{rtt: ms(0.02), variation: ms(0.01)}, ms(0.5)},
		{"town", linkState{rtt: ms(10), variation: ms(2)}, ms(28)},
		{"satellite", linkState{rtt: ms(600), variation: ms(100)}, ms(250)},
		{"loss", linkState{rtt: ms(10), variation: ms(2), retransmission: ms(210), lossy: true}, ms(210)},
		{"loss, quick", linkState{rtt: ms(100), variation: ms(20), retransmission: ms(201), lossy: true}, ms(250)},
		{"no loss", linkState{rtt: ms(10), variation: ms(2), retransmission: ms(210)}, ms(28)},
		{"loss after loss", linkState{rtt: ms(10), retransmission: time.Minute, lossy: true}, maxRetransmission},
	} {
		if got := c.link.grace(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestS11_GraceOfTwoConnections(t *testing.T) {
	const ms = time.Millisecond
	putOff := linkState{rtt: 5 * ms, variation: 10 * ms, retransmission: 208 * ms}
	quick := linkState{rtt: 20 * time.Microsecond, variation: 10 * time.Microsecond, retransmission: 200 * ms}
	if got := putOff.with(quick).grace(); got != minGrace || quick.with(putOff).grace() != got {
		t.Errorf("an acknowledgement that was put off counts as distance: %v", got)
	}
	quick.lossy = true
	if got := putOff.with(quick).grace(); got != 208*ms || quick.with(putOff).grace() != got {
		t.Errorf("after losses on one: %v", got)
	}
}

// pair is a TCP connection over loopback.
func pair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestS11_GraceOfConnections(t *testing.T) {
	_, control := pair(t)
	_, data := pair(t)
	secured := tls.Server(control, &tls.Config{})
	client, ended := pair(t)
	client.Close()
	if _, err := ended.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	closed, _ := pair(t)
	closed.Close()
	pipe, _ := net.Pipe()

	known := commitGrace(secured, data)
	if runtime.GOOS != "linux" {
		if known != unknownGrace {
			t.Errorf("where nothing is known: %v", known)
		}
		return
	}
	if known < minGrace || known > maxGrace {
		t.Errorf("over loopback: %v", known)
	}
	if link, ok := linkOf(secured); !ok || link.rtt == 0 || link.retransmission == 0 {
		t.Errorf("through TLS: %+v, %v", link, ok)
	}
	if got := commitGrace(ended, data); got != endedGrace {
		t.Errorf("with a control connection that has ended: %v", got)
	}
	if got := commitGrace(control, ended); got < minGrace || got > maxGrace {
		t.Errorf("with a data connection that has ended, as all do: %v", got)
	}
	if got := commitGrace(closed, data); got < minGrace || got > maxGrace {
		t.Errorf("with one connection gone: %v", got)
	}
	if got := commitGrace(closed, pipe); got != unknownGrace {
		t.Errorf("with nothing to ask: %v", got)
	}
}

// TestS11_FixedGrace is the operator's, but a control connection that is known to have ended
// is read to its end in any case.
func TestS11_FixedGrace(t *testing.T) {
	_, control := pair(t)
	client, ended := pair(t)
	client.Close()
	if _, err := ended.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	fixed := newGrace(configs.Grace(70 * time.Millisecond))
	if got := fixed(control, control, time.Minute); got != 70*time.Millisecond {
		t.Errorf("while both are open: %v", got)
	}
	if got := fixed(ended, control, 0); runtime.GOOS == "linux" && got != endedGrace {
		t.Errorf("after the end of the control connection: %v", got)
	}
	patient := newGrace(configs.Grace(3 * time.Second))
	if got := patient(ended, control, 0); got != 3*time.Second {
		t.Errorf("a longer one, after the end: %v", got)
	}
	auto := newGrace(configs.AutoGrace)
	for took, want := range map[time.Duration]time.Duration{0: minGrace, 2 * time.Second: 40 * time.Millisecond, time.Hour: maxGrace} {
		if got := auto(control, control, took); got < want || got > maxGrace {
			t.Errorf("automatic, after an upload of %v: %v, want %v", took, got, want)
		}
	}
	if got := auto(ended, control, time.Hour); runtime.GOOS == "linux" && got != endedGrace {
		t.Errorf("automatic, after the end of the control connection: %v", got)
	}
}
