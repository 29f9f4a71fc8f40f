package ftp

import (
	"net"
	"time"
)

const (
	// replyTimeout is how long a client may leave replies unread.
	replyTimeout = 30 * time.Second
	// maxPending is how many octets of replies are gathered, and written at once.
	maxPending = 4 << 10
	// maxResting is how large, in octets, a buffer may be that an idle session keeps.
	maxResting = 256
)

// replyBuffer gathers replies for a control connection. An error stays: nothing is written
// after it, and each Flush returns it. One goroutine uses it.
type replyBuffer struct {
	conn    net.Conn
	pending []byte
	err     error
}

// add writes a reply, for which encode turns UTF-8 into what the client expects; nil if
// that is UTF-8.
func (b *replyBuffer) add(r reply, encode encoder) {
	b.pending = r.appendTo(b.pending, encode)
	b.bound()
}

// write writes octets that are no reply.
func (b *replyBuffer) write(octets []byte) {
	b.pending = append(b.pending, octets...)
	b.bound()
}

// bound keeps what is gathered small.
func (b *replyBuffer) bound() {
	if len(b.pending) >= maxPending {
		_ = b.Flush() // an error stays, and comes again from the next one
	}
}

// rest gives up the memory of what has been written.
func (b *replyBuffer) rest() {
	if len(b.pending) == 0 {
		b.pending = nil
	}
}

// Flush writes what is gathered. Each write has a deadline of its own.
func (b *replyBuffer) Flush() error {
	for rest := b.pending; len(rest) > 0 && b.err == nil; {
		chunk := rest[:min(len(rest), maxPending)]
		if b.err = b.conn.SetWriteDeadline(time.Now().Add(replyTimeout)); b.err == nil {
			_, b.err = b.conn.Write(chunk)
		}
		rest = rest[len(chunk):]
	}
	b.pending = b.pending[:0]
	if cap(b.pending) > maxResting {
		b.pending = nil
	}
	return b.err
}
