package ftp

import (
	"net/netip"
	"time"
)

// Observer is told what clients do, for an audit or for metrics. The session waits for each
// call, which is made before its client hears the reply; calls come from many goroutines.
type Observer interface {
	// Login is called once for each PASS that was judged.
	Login(LoginEvent)
	// Command is called once for each command, also one that is unknown or refused.
	Command(CommandEvent)
}

// Client is who a session belongs to.
type Client struct {
	Session SessionID
	User    string // who has logged in, or who the client says it is: any octets but CR and LF, then
	Remote  netip.Addr
	TLS     bool // the control connection is protected
}

// LoginEvent is a login that was judged.
type LoginEvent struct {
	Client
	Time time.Time
	Code int   // of the reply
	Err  error // nil, [ErrLogin], or why it could not be judged
}

// CommandEvent is a command that was carried out or refused.
type CommandEvent struct {
	Client
	Verb    string // in capitals; "" if there is no such command
	Path    Path   // that it is about; the root also where there is none
	From    Path   // of RNTO: what RNFR has named
	Changes bool   // it was to change files or directories, other than by a transfer
	Code    int    // of the final reply; 0 if there is none
	Began   time.Time
	Took    time.Duration
	// Transfer is what has become of the transfer, nil if none has begun.
	Transfer *TransferEvent
}

// TransferEvent is a transfer that has begun, or has touched what was parked.
type TransferEvent struct {
	ID      string // of the session and the number of its command
	Upload  bool
	Resumed bool          // it went on with what was there
	ASCII   bool          // TYPE A
	Bytes   int64         // octets on the data connection
	CRC32C  uint32        // of these
	Done    string        // "stored", "parked", "discarded", "published", "sent", "failed", or "unknown"
	End     string        // of an upload's data, in words
	Kept    int64         // octets that are parked
	Name    string        // that the file was given, if it is not that of the path
	Version string        // that the store has given the file
	Took    time.Duration // from the command to the end of the transfer
}

// SessionID names a session in log and audit.
type SessionID [10]byte

func (id SessionID) String() string { return string(id[:]) }

// observe tells the observer of a command, if there is one.
func (s *session) observe(verb string, code int, began time.Time, took time.Duration) {
	if s.server.config.Observer == nil {
		return
	}
	e := CommandEvent{Client: s.identity(), Verb: verb, Path: s.doing.path, Code: code, Began: began, Took: took}
	if c := s.doing.change; c != nil {
		e.Changes, e.From = true, c.from
	}
	if t := s.doing.transfer; t != nil {
		e.Transfer = t.event()
	}
	s.server.config.Observer.Command(e)
}

// observeLogin tells the observer of a login, if there is one.
func (s *session) observeLogin(code int, err error) {
	if s.server.config.Observer == nil {
		return
	}
	s.server.config.Observer.Login(LoginEvent{Client: s.identity(), Time: time.Now(), Code: code, Err: err})
}

func (s *session) identity() Client {
	return Client{Session: s.id, User: s.userName(), Remote: s.client, TLS: s.security.binding != nil}
}
