package sim

import (
	"net"
	"sync"
)

// wire is the client's side of a connection: what it sends waits in a queue, as in the
// buffers of a socket, and its end follows what was sent, unless it is cut.
type wire struct {
	net.Conn
	out  chan []byte
	once sync.Once
}

// newWire begins to send on a connection.
func newWire(conn net.Conn) *wire {
	x := &wire{Conn: conn, out: make(chan []byte, 4096)}
	go func() {
		for p := range x.out {
			_, _ = x.Write(p) // who has lost the connection hears of it from reading
		}
		_ = x.Close()
	}()
	return x
}

func (x *wire) send(p []byte) { x.out <- p }

// end closes the connection once all is sent.
func (x *wire) end() { x.once.Do(func() { close(x.out) }) }

// cut closes it at once: by a reset, or as the end of a process that is killed does.
func (x *wire) cut(hard bool) {
	if tcp, ok := x.Conn.(interface{ SetLinger(seconds int) error }); ok && hard {
		_ = tcp.SetLinger(0)
	}
	_ = x.Close()
	x.end()
}
