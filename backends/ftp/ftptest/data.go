package ftptest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// dataWait is how long a client may take to connect and to go on.
const dataWait = 10 * time.Second

// handleData does what needs a data connection, or makes one ready.
func (ss *session) handleData(verb, p string) string {
	if verb == "EPSV" || verb == "PASV" {
		return ss.passive(verb)
	}
	offset := ss.offset
	ss.offset = 0
	n, ok := ss.s.tree.node(p)
	switch {
	case verb == "MLSD" && ss.s.options.Lean:
		return "500 Unknown command."
	case verb == "RETR" && (!ok || n.dir):
		return "550 Failed to open file."
	case verb == "STOR" && !ss.s.tree.may(p):
		return "553 Could not create file."
	case ss.data == nil:
		return "425 Use PASV first."
	}
	ss.answer(verb, "150 Here it comes.")
	conn, err := ss.accept()
	if err != nil {
		return "522 " + err.Error()
	}
	defer func() { _ = conn.Close() }()
	switch verb {
	case "STOR":
		content, err := io.ReadAll(conn)
		if ss.s.tree.put(p, content, time.Now()); err != nil {
			return "426 Failure reading network stream."
		}
	case "RETR":
		if _, err := conn.Write(n.content[min(offset, len(n.content)):]); err != nil {
			return "426 Failure writing network stream."
		}
	default:
		if _, err := io.WriteString(conn, ss.listing(verb)); err != nil {
			return "426 Failure writing network stream."
		}
	}
	if err := conn.Close(); err != nil {
		return "426 Failure writing network stream."
	}
	if ss.s.options.Finish != "" {
		return ss.s.options.Finish
	}
	return "226 Transfer complete."
}

// passive listens for the next data connection. What PASV announces is an address that
// nobody has.
func (ss *session) passive(verb string) string {
	if ss.data != nil {
		_ = ss.data.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "425 " + err.Error()
	}
	ss.data = l
	port := l.Addr().(*net.TCPAddr).Port
	if verb == "EPSV" {
		return fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", port)
	}
	return fmt.Sprintf("227 Entering Passive Mode (192,0,2,1,%d,%d).", port>>8, port&0xff)
}

// accept takes the data connection, and with TLS the client's proof that it is the same one.
func (ss *session) accept() (net.Conn, error) {
	l := ss.data
	ss.data = nil
	defer func() { _ = l.Close() }()
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(dataWait)); err != nil {
		return nil, err
	}
	conn, err := l.Accept()
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(dataWait)); err != nil || !ss.private {
		return conn, err
	}
	secure := tls.Server(conn, ss.s.options.TLS)
	if err := secure.Handshake(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	if !secure.ConnectionState().DidResume {
		_ = conn.Close()
		return nil, fmt.Errorf("SSL connection failed: session reuse required")
	}
	return secure, nil
}

// listing is that of the working directory.
func (ss *session) listing(verb string) string {
	if ss.s.options.Listing != "" {
		return ss.s.options.Listing
	}
	var b strings.Builder
	for name, n := range ss.s.tree.children(ss.dir) {
		if verb == "MLSD" {
			fmt.Fprintf(&b, "%s %s\r\n", n.facts(), name)
		} else {
			fmt.Fprintf(&b, "%s\r\n", n.long(name))
		}
	}
	return b.String()
}
