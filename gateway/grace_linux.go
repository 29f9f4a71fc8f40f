package gateway

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tcpEstablished is the state of a connection that neither side has ended (the first of
// enum in linux/tcp_states.h).
const tcpEstablished = 1

// linkOf asks the kernel for TCP_INFO (tcp(7)). It looks through TLS and other wrappers
// that say what they wrap.
func linkOf(conn net.Conn) (linkState, bool) {
	for {
		if inner, ok := conn.(interface{ NetConn() net.Conn }); ok {
			conn = inner.NetConn()
			continue
		}
		break
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return linkState{}, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return linkState{}, false
	}
	var info *unix.TCPInfo
	var infoErr error
	err = raw.Control(func(fd uintptr) {
		info, infoErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if err != nil || infoErr != nil {
		return linkState{}, false
	}
	return linkState{
		rtt:            time.Duration(info.Rtt) * time.Microsecond,
		variation:      time.Duration(info.Rttvar) * time.Microsecond,
		retransmission: time.Duration(info.Rto) * time.Microsecond,
		lossy:          lossy(info),
		ended:          info.State != tcpEstablished,
	}, true
}

// lossy tells whether packets have been lost, ours or the peer's. A reply sent again that
// the peer says it had got already (RFC 2883) is no loss: Linux probes for one as soon as an
// acknowledgement is put off for longer than two round trips (RFC 8985 §7), as it is in every
// other session, whose uploads would all wait for a retransmission then.
func lossy(info *unix.TCPInfo) bool {
	return info.Total_retrans > info.Dsack_dups || info.Lost > 0 || info.Backoff > 0 || info.Rcv_ooopack > 0
}
