package ldap

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// directory is a server that knows as much of LDAP as the tests need: who may bind, and
// what is found by which filter. It writes down what it is asked.
type directory struct {
	listener net.Listener

	mu        sync.Mutex
	passwords map[string]string        // by name
	found     map[string][]*ldap.Entry // by filter, or by base for searches of one entry
	code      uint16                   // of all answers, unless 0
	mute      bool                     // nothing is answered
	asked     []string
	conns     []net.Conn
}

// serve starts a directory that ends with the test.
func serve(t *testing.T) *directory {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &directory{listener: l, passwords: map[string]string{}, found: map[string][]*ldap.Entry{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			d.mu.Lock()
			d.conns = append(d.conns, conn)
			d.mu.Unlock()
			serving.Go(func() { d.talk(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		d.hangUp()
		serving.Wait()
	})
	return d
}

// hangUp ends the connections that there are.
func (d *directory) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range d.conns {
		_ = conn.Close()
	}
	d.conns = nil
}

// connected tells how many connections there have been since the last hangUp.
func (d *directory) connected() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.conns)
}

// log returns what was asked since the last time.
func (d *directory) log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := strings.Join(d.asked, "\n")
	d.asked = nil
	return asked
}

func (d *directory) set(change func(d *directory)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *directory) talk(conn net.Conn) {
	defer conn.Close()
	for {
		request, err := ber.ReadPacket(conn)
		if err != nil || len(request.Children) < 2 {
			return
		}
		id, op := request.Children[0], request.Children[1]
		for _, answer := range d.answer(op) {
			message := ber.NewSequence("")
			message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id.Value, ""))
			message.AppendChild(answer)
			if _, err := conn.Write(message.Bytes()); err != nil {
				return
			}
		}
	}
}

func (d *directory) answer(op *ber.Packet) []*ber.Packet {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case op.Tag == ldap.ApplicationBindRequest:
		name, password := op.Children[1].Value.(string), op.Children[2].Data.String()
		d.asked = append(d.asked, "bind "+name)
		code := uint16(ldap.LDAPResultInvalidCredentials)
		if want, ok := d.passwords[name]; ok && want == password {
			code = ldap.LDAPResultSuccess
		}
		return d.finish(ldap.ApplicationBindResponse, code, nil)
	case op.Tag == ldap.ApplicationSearchRequest:
		base, filter := op.Children[0].Value.(string), "?"
		if text, err := ldap.DecompileFilter(op.Children[6]); err == nil {
			filter = text
		}
		d.asked = append(d.asked, fmt.Sprintf("search %s %s", base, filter))
		entries := d.found[filter]
		if op.Children[1].Value.(int64) == ldap.ScopeBaseObject {
			entries = d.found[base]
		}
		return d.finish(ldap.ApplicationSearchResultDone, ldap.LDAPResultSuccess, entries)
	}
	return nil
}

// finish is the entries and the result of an operation.
func (d *directory) finish(tag ber.Tag, code uint16, entries []*ldap.Entry) []*ber.Packet {
	if d.mute {
		return nil
	}
	if d.code != 0 {
		code = d.code
	}
	var answers []*ber.Packet
	for _, e := range entries {
		answers = append(answers, entryPacket(e))
	}
	result := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	result.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, uint64(code), ""))
	result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	return append(answers, result)
}

func entryPacket(e *ldap.Entry) *ber.Packet {
	text := func(s string) *ber.Packet {
		return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
	}
	packet := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	packet.AppendChild(text(e.DN))
	attributes := ber.NewSequence("")
	for _, a := range e.Attributes {
		attribute, values := ber.NewSequence(""), ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range a.Values {
			values.AppendChild(text(v))
		}
		attribute.AppendChild(text(a.Name))
		attribute.AppendChild(values)
		attributes.AppendChild(attribute)
	}
	packet.AppendChild(attributes)
	return packet
}
