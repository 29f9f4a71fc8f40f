//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
)

// momentsOfUploads are those of an upload in three parts. A directory has no requests
// to hold: there the client holds its octets.
var momentsOfUploads = map[string][]moment{
	"s3": {
		{name: "before the upload is created", operation: "CreateMultipartUpload"},
		{name: "after the upload is created", operation: "CreateMultipartUpload", after: true, leaves: true},
		{name: "before its record", operation: "PutObject", leaves: true},
		{name: "after its record", operation: "PutObject", after: true},
		{name: "before the second part", operation: "UploadPart", nth: 2},
		{name: "after the second part", operation: "UploadPart", nth: 2, after: true},
		{name: "after the last part", operation: "UploadPart", nth: 3, after: true},
		{name: "before the commit", operation: "CompleteMultipartUpload"},
		{name: "the commit arrives late", operation: "CompleteMultipartUpload", late: true},
		{name: "after the commit", operation: "CompleteMultipartUpload", after: true},
		{name: "before the record goes", operation: "DeleteObject"},
		{name: "before 226", operation: "DeleteObject", after: true},
		{name: "after 226"},
	},
	"gcs": {
		{name: "before its record", operation: "objects.insert"},
		{name: "after its record", operation: "objects.insert", after: true},
		{name: "before the second part", operation: "objects.insert", nth: 3},
		{name: "after the last part", operation: "objects.insert", nth: 4, after: true},
		{name: "before the commit", operation: "objects.compose"},
		{name: "the commit arrives late", operation: "objects.compose", late: true},
		{name: "after the commit", operation: "objects.compose", after: true},
		{name: "before a part goes", operation: "objects.delete", nth: 2},
		{name: "before 226", operation: "objects.delete", nth: 4, after: true},
		{name: "after 226"},
	},
	"azure": {
		{name: "before its record", operation: "PutBlob"},
		{name: "after its record", operation: "PutBlob", after: true},
		{name: "before the second part", operation: "PutBlock", nth: 2},
		{name: "after the last part", operation: "PutBlock", nth: 3, after: true},
		{name: "before the commit", operation: "PutBlockList"},
		{name: "the commit arrives late", operation: "PutBlockList", late: true},
		{name: "after the commit", operation: "PutBlockList", after: true},
		{name: "before 226", operation: "DeleteBlob", after: true},
		{name: "after 226"},
	},
	"localdir": {
		{name: "before the first octet"},
		{name: "within the octets"},
		{name: "after the last octet"},
		{name: "after 226"},
	},
}

// tailSize is how much an APPE in these tests adds: three parts and a bit of the store's.
func tailSize(kind string) int { return 2*partSizes[kind] + 100_000 }

// S10, S13, S14, S17: the gateway is killed at each step of STOR and APPE. The object is
// the one before or the new one, whole; what was stored is gone on with, and nothing is
// left of it in the end.
func TestS10_S13_S14_S17_GatewayKilledInUpload(t *testing.T) {
	for _, kind := range []string{"localdir", "s3", "gcs", "azure"} {
		t.Run(kind, func(t *testing.T) {
			c := newCrashes(t, kind)
			t.Run("steps", func(t *testing.T) {
				for i, m := range momentsOfUploads[kind] {
					for j, verb := range []string{"STOR", "STOR over", "APPE"} {
						if os.Getenv("CAUSEWAY_KILLS") != "all" && (i+j)%3 != 0 {
							continue
						}
						t.Run(verb+"/"+m.name, func(t *testing.T) {
							t.Parallel()
							u := &crashedUpload{crashing: crashing{crashes: c, moment: m, t: t}, verb: verb, sequel: (i + i/3 + j) % sequels}
							u.run()
						})
					}
				}
			})
			c.sweep(t)
			c.table.print(os.Stdout, kind)
		})
	}
}

// crashedUpload is one upload whose gateway is killed.
type crashedUpload struct {
	crashing
	verb   string
	sequel int
	name   string
	old    []byte // nil if there is no object before
	whole  []byte // what it is to become
	end    crash
}

func (u *crashedUpload) run() {
	u.t.Helper()
	u.name = random(8) + ".bin"
	u.whole = content(tailSize(u.bucket.kind))
	if u.verb != "STOR" {
		u.old = content(previous)
		if u.verb == "APPE" {
			u.old = content(6 << 20) // of which S3 copies a part on its side
			u.whole = append(bytes.Clone(u.old), u.whole...)
		}
		if err := u.bucket.write(u.t.Context(), u.name, u.old); err != nil {
			u.t.Fatal(err)
		}
	}
	u.end = crash{verb: u.verb, moment: u.moment.name}
	defer func() { u.table.add(u.end) }()
	u.cut()
	u.judge()
	u.after()
}

// cut uploads, and kills the gateway at the moment.
func (u *crashedUpload) cut() {
	u.t.Helper()
	g, s := u.begin()
	data, command := u.whole, "STOR "+u.name
	if u.verb == "APPE" {
		data, command = u.whole[len(u.old):], "APPE "+u.name
	}
	part := data
	switch u.moment.name {
	case "before the first octet":
		part = nil
	case "within the octets":
		part = data[:len(data)/2]
	}
	conn := s.passive()
	s.send(command)
	ended := u.held != nil || u.moment.name == "after 226"
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = conn.Write(part) // the gateway is killed
		if ended {
			_ = conn.Close()
		}
	}()
	switch {
	case u.moment.name == "after 226":
		s.want("150", "125")
		s.want("226")
	case u.held == nil:
		s.want("150", "125")
		(&victim{session: s}).awaitRead(len(part))
	}
	u.strike(g, s)
	_ = conn.Close() // if the data did not end
	<-sent
}

// judge looks at what is there now: what was before, or all that is new.
func (u *crashedUpload) judge() {
	u.t.Helper()
	got, err := u.bucket.read(u.t.Context(), u.name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && u.old == nil:
		u.end.found = "nothing"
	case err != nil:
		u.end.lost = errors.Is(err, fs.ErrNotExist)
		u.t.Fatalf("there were %d octets before: %v", len(u.old), err)
	case bytes.Equal(got, u.whole):
		u.end.found = "new"
	case u.old != nil && bytes.Equal(got, u.old):
		u.end.found = "old"
	default:
		u.end.torn = true
		u.t.Fatalf("there are %d octets, neither the %d before nor the %d after", len(got), len(u.old), len(u.whole))
	}
	if told := u.moment.name == "after 226" || u.moment.name == "before 226"; told && u.end.found != "new" {
		u.t.Fatalf("what was committed is not there: %s", u.end.found)
	}
}

// after is what the client does then, if it does anything.
func (u *crashedUpload) after() {
	u.t.Helper()
	if u.old != nil || u.end.found == "new" || u.sequel != goAway || u.late {
		u.expect(u.name)
	}
	if u.leaves {
		u.mayLeave(u.name)
	}
	if u.sequel == goAway && !u.late {
		return
	}
	s := u.next()
	if u.late {
		u.land(s)
	}
	u.comeBack(s)
	u.bucket.holds(u.t, u.name, u.whole)
}

// land lets the request arrive that was on its way, when another gateway knows already
// what was left before it.
func (u *crashedUpload) land(s *session) {
	u.t.Helper()
	s.do("SIZE "+u.name, "213")
	u.held.Remove()
	err := poll(u.t.Context(), patience, func() error {
		got, err := u.bucket.read(u.t.Context(), u.name)
		if err == nil {
			err = same(got, u.whole)
		}
		return err
	})
	if err != nil {
		u.t.Fatalf("what was on its way does not arrive: %v", err)
	}
}

// comeBack goes on with what SIZE tells. A client that hears 450 asks again.
func (u *crashedUpload) comeBack(s *session) {
	u.t.Helper()
	for range 3 {
		size := -1
		if said := s.do("SIZE "+u.name, "213", "550"); said.code == "213" {
			size, _ = strconv.Atoi(strings.TrimPrefix(said.lines[0], "213 ")) // 0 will be found out
		}
		if u.goOn(s, size).code == "226" {
			return
		}
	}
	s.fatalf("cannot go on")
}

// goOn uploads what is missing after size octets, -1 if there is no file.
func (u *crashedUpload) goOn(s *session, size int) reply {
	u.t.Helper()
	if size > len(u.whole) {
		s.fatalf("%d octets of %d", size, len(u.whole))
	}
	if there, err := u.bucket.read(u.t.Context(), u.name); err == nil && bytes.Equal(there, u.whole) && size == len(u.whole) {
		return reply{code: "226"} // nothing is missing
	}
	command := "STOR " + u.name
	switch {
	case u.verb == "APPE" && size >= len(u.old):
		command = "APPE " + u.name
		u.end.kept = size - len(u.old)
	case size <= 0 || size == len(u.old):
		size = 0
	case u.sequel == addTo:
		command = "APPE " + u.name
		u.end.kept = size
	default:
		s.do(fmt.Sprint("REST ", size), "350")
		u.end.kept = size
	}
	conn := s.passive()
	if said := s.do(command, "150", "125", "450"); said.code == "450" {
		return said
	}
	s.write(conn, u.whole[size:])
	_ = conn.Close()
	said := s.want("226", "450", "451")
	u.end.resumed = u.end.kept > 0 && said.code == "226"
	return said
}
