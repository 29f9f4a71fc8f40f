package gateway

import (
	"net"
	"time"

	"causeway/configs"
)

// Bounds of the commit grace. Over loopback the control connection of a killed client
// ends within 0.4 ms of its data connection.
const (
	minGrace = 500 * time.Microsecond
	maxGrace = 250 * time.Millisecond
	// share is the part of an upload's time that its grace is at least. The ends of a killed
	// client's connections come one after another, in whatever order, and a busy machine may
	// do other work between them; what has taken long to send is worth waiting for.
	share = 50
	// maxRetransmission bounds the wait for a retransmission, whose time-out doubles
	// with every loss: the least initial value of RFC 6298 §2.1, three times.
	maxRetransmission = 3 * time.Second
	// endedGrace is for a control connection that has ended, but the session has not read
	// that far yet. It ends as soon as it has. Nobody waits for the reply then.
	endedGrace = time.Second
	// unknownGrace is for systems that tell nothing of a connection.
	unknownGrace = 50 * time.Millisecond
)

// linkState is what the system knows of a connection's way to the peer.
type linkState struct {
	rtt, variation time.Duration
	retransmission time.Duration // time-out
	lossy          bool          // packets have been lost
	ended          bool          // the peer's side has ended, whether that was read or not
}

// with is what two connections over the same way tell of it together. The quicker one is
// right about the delay: an acknowledgement that the peer has put off (by 40 ms, in answer
// to a command) looks like a long way. Either is right about losses.
func (l linkState) with(other linkState) linkState {
	both := l
	if 2*other.rtt+4*other.variation < 2*l.rtt+4*l.variation {
		both = other
	}
	both.lossy = l.lossy || other.lossy
	both.retransmission = max(l.retransmission, other.retransmission)
	return both
}

// grace is how long the peer's FIN may be behind one that has already come.
func (l linkState) grace() time.Duration {
	g := min(max(2*l.rtt+4*l.variation, minGrace), maxGrace)
	if l.lossy {
		g = max(g, min(l.retransmission, maxRetransmission))
	}
	return g
}

// newGrace is the engine's [ftp.Config.Grace] for what the operator has configured: a
// duration, for connections that tell nothing of the client's way because they come from a
// proxy, or commitGrace and a share of the upload's time.
func newGrace(configured configs.Grace) func(control, data net.Conn, took time.Duration) time.Duration {
	if configured == configs.AutoGrace {
		return func(control, data net.Conn, took time.Duration) time.Duration {
			return max(commitGrace(control, data), min(took/share, maxGrace))
		}
	}
	return func(control, _ net.Conn, _ time.Duration) time.Duration {
		fixed := time.Duration(configured)
		if link, ok := linkOf(control); ok && link.ended {
			return max(fixed, endedGrace)
		}
		return fixed
	}
}

// commitGrace is how long to watch the control connection for its end after an upload's
// data has ended.
func commitGrace(control, data net.Conn) time.Duration {
	c, controlOK := linkOf(control)
	d, dataOK := linkOf(data)
	switch {
	case controlOK && c.ended:
		return endedGrace
	case controlOK && dataOK:
		return c.with(d).grace()
	case controlOK:
		return c.grace()
	case dataOK:
		return d.grace()
	default:
		return unknownGrace
	}
}
