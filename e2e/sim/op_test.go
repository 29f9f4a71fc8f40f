package sim

import (
	"fmt"
	"strconv"
	"time"
)

// op is a command that a client has sent, and what the model knows of it. world.mu guards
// it once it was sent.
type op struct {
	number  int
	client  *client
	session *session
	verb    string
	path    string // its argument, absolute
	key     string // and the key that it means; of STOU known from the preliminary reply on
	mount   mount
	gateway int // that serves it

	at       time.Time // when it was sent
	invoked  int64     // ticks
	returned int64     // of its final reply; 0 before
	code     int       // of its final reply
	text     string
	faults   int // that had struck when it was sent

	// Of uploads.
	data     []byte
	offset   int64 // of REST
	known    int64 // size that the client was told right before, -1 if it was not
	begun    bool  // the preliminary reply has come
	sent     bool  // all data, and its end
	sentAt   time.Time
	cut      bool // the client was cut off, or gave up, before it could have been done
	applied  bool // the store has it
	content  []byte
	doubtful bool // the answer of the store was lost

	// Of renames.
	from   string // key
	origin mount  // that it is in
	copied bool   // something of it has its new name
	onto   string // the key, where it is another one because that was taken

	// Of reads.
	received []byte // what came
	ended    bool   // and its end, properly
	stopped  bool   // or its end in any way
	judged   bool
}

// uploads tells whether the command stores a file.
func (o *op) uploads() bool {
	return o.verb == "STOR" || o.verb == "APPE" || o.verb == "STOU"
}

// fetches tells whether the command reads a file or a directory by a data connection.
func (o *op) fetches() bool {
	return o.verb == "RETR" || o.lists()
}

func (o *op) lists() bool { return o.verb == "LIST" || o.verb == "NLST" || o.verb == "MLSD" }

// transfers tells whether the command has a preliminary reply.
func (o *op) transfers() bool { return o.uploads() || o.fetches() }

// live tells whether the gateway may still be at work on it.
func (w *world) live(o *op) bool { return o.returned == 0 && o.gateway == w.gateway.number }

// cutOff notes that a client's end came so early that the gateway must not take the upload
// for a complete one. After QUIT, which ends the grace, the end of the control connection
// is a goodbye, and an ABOR may come too late.
func (o *op) cutOff() {
	early := !o.sent || !o.session.leaving && time.Since(o.sentAt) < grace
	if o.uploads() && o.returned == 0 && !o.applied && early {
		o.cut = true
	}
}

func (o *op) String() string {
	s := fmt.Sprintf("#%d %s %s %s", o.number, o.client.account.name, o.verb, o.path)
	if o.from != "" {
		s += " from " + o.from
	}
	if o.offset > 0 {
		s += " at " + strconv.FormatInt(o.offset, 10)
	}
	if o.uploads() {
		s += fmt.Sprintf(" (%d octets, sent %t, cut %t, applied %t)", len(o.data), o.sent, o.cut, o.applied)
	}
	return s
}

// describing makes a content of so many octets of which each 16 tell whose they are and
// where they belong, so that a prefix or a mix is recognised.
func describing(number, octets int) []byte {
	content := make([]byte, 0, octets+16)
	for at := 0; at < octets; at += 16 {
		content = fmt.Appendf(content, "%04x:%05x/%04x\n", number, octets, at)
	}
	return content[:octets]
}

// brief shows the runs of a content made of such.
func brief(content []byte) string {
	var s string
	for i := 0; i < len(content); {
		j := i + 16
		if j > len(content) {
			j = len(content)
		}
		for j+4 <= len(content) && len(content[i:]) >= 4 && string(content[j:j+4]) == string(content[i:i+4]) {
			j = min(j+16, len(content))
		}
		s += fmt.Sprintf("[%d-%d of %q]", i, j, content[i:min(i+10, len(content))])
		i = j
	}
	return fmt.Sprintf("%d octets %s", len(content), s)
}
