//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"causeway/e2e/stores"
)

// confinedGateway is a gateway whose store may do what one of the published policies says
// and no more, with one account, acme.
func confinedGateway(t *testing.T, policy string, guest int, rights string) (s3Bucket, *namedBucket, *gateway) {
	t.Helper()
	b, named := freshS3(t)
	key, _ := stores.S3Guest(guest)
	b.allow(t, b.published(t, policy, key)...)
	g := start(t, setup{plain4: true, accounts: []account{{
		name: "acme", store: &namedBucket{b, "s3", b.as(guest)}, prefix: "in/acme/", mount: ", rights: [" + rights + "]",
	}}})
	return b, named, g
}

// complaints are the records of the log that are no information.
func (g *gateway) complaints() []string {
	var found []string
	for line := range strings.Lines(g.log.String()) {
		if strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`) {
			found = append(found, line)
		}
	}
	return found
}

// TestO7_DropBoxThatMayOnlyPut: credentials that may put objects below one prefix, and end
// an upload, serve clients that change directory first, and ask for the size after. What
// was cut off is nowhere, and nobody is told why.
func TestO7_DropBoxThatMayOnlyPut(t *testing.T) {
	b, named, g := confinedGateway(t, "dropbox.json", 2, "write")
	s := connect(t, g.address(false, false))
	s.login("acme")
	s.do("CWD sub", "250")
	s.do("PWD", "257")
	s.store("STOR small", []byte("small"))
	s.do("SIZE small", "213")
	big := bytes.Repeat([]byte("0123456789"), 2<<20)
	s.store("STOR big", big)
	s.refused("STOR small")
	s.store("STOU", []byte("unique"))
	for _, command := range []string{"DELE small", "RNFR small", "RMD /sub", "MKD more", "SIZE /elsewhere", "MDTM nothing", "MFMT 20200101000000 small"} {
		s.do(command, "550")
	}
	for _, command := range []string{"RETR small", "MLSD", "LIST /"} {
		s.refused(command)
	}
	s.do("REST 5", "350")
	s.refused("STOR big")
	s.cut("STOR half", big[:12<<20])
	eventually(t, func() error {
		if !strings.Contains(g.log.String(), `"path":"/sub/half"`) {
			return fmt.Errorf("the log tells nothing of the upload")
		}
		return nil
	})
	named.holds(t, "in/acme/sub/big", big)
	named.holds(t, "in/acme/sub/small", []byte("small"))
	named.lacks(t, "in/acme/sub/half")
	if begun, err := b.begun(t.Context()); err != nil || len(begun) > 0 {
		t.Errorf("begun and not ended: %q, %v", begun, err)
	}
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}

// TestO7_DropBoxThatParks: with its own place below the reserved name such a drop box goes
// on where an upload was cut off.
func TestO7_DropBoxThatParks(t *testing.T) {
	_, named, g := confinedGateway(t, "dropbox-park.json", 3, "write")
	big := bytes.Repeat([]byte("0123456789"), 2<<20)
	s := connect(t, g.address(false, false))
	s.login("acme")
	s.cut("STOR half", big[:12<<20])
	again := connect(t, g.address(false, false))
	again.login("acme")
	kept := again.parkedSize("half")
	if kept < 8<<20 || kept > 12<<20 {
		t.Fatalf("%d octets are parked of %d", kept, 12<<20)
	}
	again.do("REST "+strconv.Itoa(kept), "350")
	again.store("STOR half", big[kept:])
	named.holds(t, "in/acme/half", big)
	again.refused("RETR half")
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}

// parkedSize waits until SIZE tells how much of an upload is parked.
func (s *session) parkedSize(name string) int {
	s.t.Helper()
	size := 0
	eventually(s.t, func() (err error) {
		r := s.do("SIZE "+name, "213", "550")
		if r.code != "213" {
			return fmt.Errorf("%s is not parked", name)
		}
		size, err = strconv.Atoi(strings.TrimPrefix(r.lines[0], "213 "))
		return err
	})
	return size
}

// TestO7_ReadOnly: what may be read and listed, and no more.
func TestO7_ReadOnly(t *testing.T) {
	_, named, g := confinedGateway(t, "readonly.json", 4, "list, read")
	for _, key := range []string{"in/acme/a", "in/acme/sub/b", "in/other/c"} {
		if err := named.write(t.Context(), key, []byte("content")); err != nil {
			t.Fatal(err)
		}
	}
	s := connect(t, g.address(false, false))
	s.login("acme")
	if got := s.names("NLST"); strings.Join(got, " ") != "a sub" {
		t.Errorf("names %q", got)
	}
	s.do("CWD sub", "250")
	s.do("SIZE b", "213")
	s.do("MDTM b", "213")
	s.do("MLST b", "250")
	s.do("CWD /none", "550")
	if got := s.fetch("RETR b"); string(got) != "content" {
		t.Errorf("got %q", got)
	}
	s.do("REST 3", "350")
	if got := s.fetch("RETR b"); string(got) != "tent" {
		t.Errorf("got %q", got)
	}
	for _, command := range []string{"DELE b", "RNFR b", "MKD /new", "RMD /sub"} {
		s.do(command, "550")
	}
	s.refused("STOR b")
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}

// TestO7_EveryVerb works with the actions of the full policy, and with those alone.
func TestO7_EveryVerb(t *testing.T) {
	b, named, g := confinedGateway(t, "full.json", 5, "list, read, write, overwrite, delete, rename, mkdir")
	s := connect(t, g.address(false, false))
	s.login("acme")
	big := bytes.Repeat([]byte("0123456789"), 2<<20)
	s.do("MKD dir", "257")
	s.do("CWD dir", "250")
	s.store("STOR a", []byte("one"))
	s.store("STOR a", []byte("two"))
	s.store("APPE a", []byte(" three"))
	s.store("STOR big", big)
	s.store("APPE big", []byte("tail"))
	s.store("STOU", []byte("unique"))
	s.do("MFMT 20200102030405 a", "213")
	if r := s.do("MDTM a", "213"); r.lines[0] != "213 20200102030405" {
		t.Errorf("time %s", r.lines[0])
	}
	s.do("RNFR a", "350")
	s.do("RNTO b", "250")
	if got := s.fetch("RETR b"); string(got) != "two three" {
		t.Errorf("got %q", got)
	}
	s.do("CWD /", "250")
	s.do("RNFR dir", "350")
	s.do("RNTO moved", "250")
	named.holds(t, "in/acme/moved/big", append(bytes.Clone(big), "tail"...))
	named.holds(t, "in/acme/moved/b", []byte("two three"))
	for _, name := range s.names("NLST moved") {
		s.do("DELE moved/"+name[strings.LastIndex(name, "/")+1:], "250")
	}
	s.do("RMD moved", "250")
	s.cut("STOR half", big[:12<<20])
	again := connect(t, g.address(false, false))
	again.login("acme")
	kept := again.parkedSize("half")
	again.do("REST "+strconv.Itoa(kept), "350")
	again.store("STOR half", big[kept:])
	named.holds(t, "in/acme/half", big)
	again.do("DELE half", "250")
	if begun, err := b.begun(t.Context()); err != nil || len(begun) > 0 {
		t.Errorf("begun and not ended: %q, %v", begun, err)
	}
	if keys, err := named.keys(t.Context(), ""); err != nil || len(keys) > 0 {
		t.Errorf("left: %q, %v", keys, err)
	}
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}

// TestO7_RightsThatTheStoreHasNot: an account with every right on a store that may only be
// put to is told what it may not do, and no command takes it for trouble that may pass.
func TestO7_RightsThatTheStoreHasNot(t *testing.T) {
	_, named, g := confinedGateway(t, "dropbox.json", 6, "list, read, write, overwrite, delete, rename, mkdir")
	if err := named.write(t.Context(), "in/acme/there", []byte("content")); err != nil {
		t.Fatal(err)
	}
	s := connect(t, g.address(false, false))
	s.login("acme")
	s.do("CWD /", "250")
	s.store("STOR new", []byte("content"))
	s.do("SIZE new", "213")
	for _, command := range []string{"SIZE there", "MDTM there", "MLST there", "DELE there", "RMD sub", "RNFR there", "MFMT 20200101000000 there"} {
		s.do(command, "550")
	}
	for _, command := range []string{"RETR there", "APPE there", "MLSD", "LIST", "NLST"} {
		s.refused(command)
	}
	named.holds(t, "in/acme/there", []byte("content"))
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}

// eventually waits for what must come.
func eventually(t testing.TB, check func() error) {
	t.Helper()
	if err := poll(t.Context(), patience, check); err != nil {
		t.Fatal(err)
	}
}

// TestO7_TheGatewaysOwn: where accounts have credentials of their own, what the gateway does
// for itself it does with the store's, by the policy for these: here it ends an upload that
// nobody has gone on with. The account's may not find what others have parked.
func TestO7_TheGatewaysOwn(t *testing.T) {
	b, named := freshS3(t)
	own, _ := stores.S3Guest(7)
	key, secret := stores.S3Guest(0)
	b.allow(t, append(b.published(t, "gateway.json", own), b.published(t, "dropbox-park.json", key)...)...)
	g := start(t, setup{plain4: true, extra: "uploads: {resume_window: 1s}\n", accounts: []account{{
		name: "acme", store: &namedBucket{b, "s3", b.as(7)}, prefix: "in/acme/", mount: ", rights: [write]",
		more: fmt.Sprintf("    credentials: {store0: {access_key: %s, secret_key: %s}}\n", key, secret),
	}}})
	s := connect(t, g.address(false, false))
	s.login("acme")
	s.store("STOR whole", []byte("content"))
	s.cut("STOR half", bytes.Repeat([]byte("x"), 12<<20))
	if _, err := g.log.await(func(r record) bool { return r["msg"] == "abandoned work was ended" }, 0, g.exited); err != nil {
		t.Fatalf("%v\n%s", err, g.log)
	}
	named.holds(t, "in/acme/whole", []byte("content"))
	if begun, err := b.begun(t.Context()); err != nil || len(begun) > 0 {
		t.Errorf("begun and not ended: %q, %v", begun, err)
	}
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}
