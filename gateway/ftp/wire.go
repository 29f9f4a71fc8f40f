package ftp

import "crypto/tls"

// wire is what lies below the TLS of a data connection. crypto/tls reads and writes no more
// than one record at a time; where much flows, wire does so for several at once. It judges
// nothing: whether the connection has ended is for the watchedConn to note, which is asked
// for more only when all that came has been given to crypto/tls.
//
// One goroutine uses it, as that is so with the tls.Conn above; but Close may be called from
// any.
type wire struct {
	*watchedConn
	buffers *buffers

	in     *buffer // nil while little comes
	unread []byte  // of in
	end    error   // came with what is unread
	full   int     // reads in a row that left more to be read

	out      *buffer // nil but within gather
	gathered int     // octets of out
}

// worthGathering is the least room, in octets, that crypto/tls offers for a record of data.
// It reads handshakes in smaller pieces.
const worthGathering = maxRecord / 2

func (w *wire) Read(p []byte) (int, error) {
	switch {
	case len(w.unread) > 0:
	case w.end != nil:
		return 0, w.end
	case w.full < fastPasses || !w.roomy():
		return w.readSlow(p)
	default:
		w.readFast()
		if len(w.unread) == 0 {
			return 0, w.end
		}
	}
	n := copy(p, w.unread)
	w.unread = w.unread[n:]
	if len(w.unread) == 0 && w.full == 0 {
		w.giveIn() // nothing is kept while the client is waited for
	}
	return n, nil
}

// readSlow reads what crypto/tls has room for.
func (w *wire) readSlow(p []byte) (int, error) {
	n, err := w.watchedConn.Read(p)
	if w.full++; n < len(p) || n < worthGathering {
		w.full = 0
	}
	return n, err
}

// roomy tells whether there is a large buffer to read into.
func (w *wire) roomy() bool {
	if w.in == nil {
		w.in = w.buffers.takeLarge()
	}
	return w.in != nil
}

// readFast reads all that has come, up to a large buffer.
func (w *wire) readFast() {
	n, err := w.watchedConn.Read(w.in.octets)
	w.unread, w.end = w.in.octets[:n], err
	if n < largeBuffer/4 {
		w.full = 0
	}
}

// giveIn gives up the memory for reading. Nothing may be read any more, or all must be.
func (w *wire) giveIn() {
	w.buffers.give(w.in)
	w.in, w.unread = nil, nil
}

// Write keeps records back between gather and send.
func (w *wire) Write(p []byte) (int, error) {
	if w.out == nil {
		return w.watchedConn.Write(p)
	}
	if len(p) > len(w.out.octets)-w.gathered {
		if err := w.send(); err != nil {
			return 0, err
		}
		if len(p) > len(w.out.octets) {
			return w.watchedConn.Write(p)
		}
	}
	w.gathered += copy(w.out.octets[w.gathered:], p)
	return len(p), nil
}

// gather begins to keep records back, if there is a large buffer for them.
func (w *wire) gather() { w.out = w.buffers.takeLarge() }

// send writes what is kept back.
func (w *wire) send() error {
	n := w.gathered
	w.gathered = 0
	if n == 0 {
		return nil
	}
	_, err := w.watchedConn.Write(w.out.octets[:n])
	return err
}

// release writes what is kept back and keeps nothing more.
func (w *wire) release() error {
	err := w.send()
	w.buffers.give(w.out)
	w.out = nil
	return err
}

// tlsFlow is the data of a connection under TLS. After a Write that has failed the
// connection is good for nothing but abort: crypto/tls may not know of it.
type tlsFlow struct {
	*tls.Conn
	wire *wire
}

// Write sends p whole: nothing is kept back when it returns.
func (f *tlsFlow) Write(p []byte) (n int, err error) {
	if len(p) <= smallBuffer { // a slow client, for which no memory is held
		return f.Conn.Write(p)
	}
	f.wire.gather()
	defer func() {
		if failed := f.wire.release(); err == nil {
			err = failed
		}
	}()
	return f.Conn.Write(p)
}
