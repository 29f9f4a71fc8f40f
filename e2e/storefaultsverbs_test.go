//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// faultVerb is a command that meets faults.
type faultVerb struct {
	name string
	done string // the reply that says so
	file string // that an upload makes
	// The operations of the store that bring it forward, that read, and that make what it
	// does durable.
	main, read, commit []string

	begin    func(t *testing.T, c *faultCell) // makes what is there before
	before   func(c *faultCell)               // commands that are to meet no fault
	do       func(c *faultCell) string        // the command; its final reply's code
	again    func(c *faultCell) string        // when the fault is gone; tells how
	old, new func(ctx context.Context, c *faultCell) error
}

// reads tells whether the command changes nothing.
func (v faultVerb) reads() bool { return v.commit == nil }

// uploads tells whether it takes a file.
func (v faultVerb) uploads() bool { return v.file != "" }

// faultVerbs are the commands, with the operations of a kind of store.
func faultVerbs(kind string) []faultVerb {
	o := faultOperations[kind]
	more := partSizes[kind] + 1<<20 // than a part
	small, long := upload{"STOR", 1000, 0, 3000}, upload{"STOR", 1000, 0, more}
	appe, rest := upload{"APPE", 6 << 20, 6 << 20, more}, upload{"STOR", 12 << 20, 6 << 20, more}
	kept := upload{"STOR", 1 << 20, 1 << 19, 3000}
	return []faultVerb{
		small.verb("STOR", o.put, nil, o.put),
		long.verb("STOR in parts", o.part, nil, o.join),
		appe.verb("APPE", o.part, nil, o.join),
		rest.verb("REST+STOR", o.part, nil, o.join),
		kept.verb("REST+STOR small", o.keep, o.get, o.keep),
		retrVerb(o), listVerb(o), rntoVerb(o), deleVerb(o), mkdVerb(o),
	}
}

// operationNames are what a store calls its requests.
type operationNames struct {
	put, part, join, get, list, copy, remove []string

	keep []string // makes durable what follows a beginning that was read
}

var faultOperations = map[string]operationNames{
	"s3": {
		put: []string{"PutObject"}, part: []string{"UploadPart"}, join: []string{"CompleteMultipartUpload"}, get: []string{"GetObject"},
		list: []string{"ListObjectsV2"}, copy: []string{"CopyObject"}, remove: []string{"DeleteObject"}, keep: []string{"PutObject"},
	},
	"gcs": {
		put: []string{"objects.insert"}, part: []string{"objects.insert"}, join: []string{"objects.compose"}, get: []string{"media.get"},
		list: []string{"objects.list"}, copy: []string{"objects.move", "objects.rewrite", "objects.copy"}, remove: []string{"objects.delete"}, keep: []string{"objects.insert"},
	},
	"azure": {
		put: []string{"PutBlob"}, part: []string{"PutBlock"}, join: []string{"PutBlockList"}, get: []string{"GetBlob"},
		list: []string{"ListBlobs"}, copy: []string{"CopyBlobFromURL"}, remove: []string{"DeleteBlob"}, keep: []string{"PutBlockList"},
	},
}

// upload is how a file is sent onto one that is there: the first at octets of that are kept.
type upload struct {
	command       string
	old, at, size int
}

func (u upload) verb(name string, main, read, commit []string) faultVerb {
	const file = "f.bin"
	before, tail := content(u.old), content(u.size)
	whole := slices.Concat(before[:u.at], tail)
	v := faultVerb{name: name, done: "226", file: file, main: main, read: read, commit: commit, before: func(*faultCell) {}}
	v.begin = func(t *testing.T, c *faultCell) { c.put(t, file, before) }
	v.do = func(c *faultCell) string {
		if u.command == "STOR" && u.at > 0 {
			c.session.do(fmt.Sprintf("REST %d", u.at), "350")
		}
		return c.upload(u.command+" "+file, tail)
	}
	v.again = func(c *faultCell) string { return c.goOn(file, u, whole) }
	v.old = func(ctx context.Context, c *faultCell) error { return c.holdsAll(ctx, map[string][]byte{file: before}) }
	v.new = func(ctx context.Context, c *faultCell) error { return c.holdsAll(ctx, map[string][]byte{file: whole}) }
	return v
}

// put writes straight into the store.
func (c *faultCell) put(t *testing.T, key string, data []byte) {
	t.Helper()
	if err := c.bucket.write(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// upload sends data and returns the final reply. That the gateway stops to read is no
// failure of the client's.
func (c *faultCell) upload(command string, data []byte) string {
	c.t.Helper()
	conn := c.passive()
	_ = conn.SetDeadline(time.Now().Add(cellTime))
	r := c.session.do(command, "150", "4", "5")
	if r.code != "150" {
		_ = conn.Close()
		return r.code
	}
	_, _ = conn.Write(data) // what came of it the reply tells
	_ = conn.CloseWrite()
	r = c.read()
	_ = conn.Close()
	return r.code
}

// goOn ends an upload that has failed, as clients do: from where SIZE says that it is.
func (c *faultCell) goOn(file string, u upload, whole []byte) string {
	c.t.Helper()
	r := c.session.do("SIZE "+file, "213")
	var size int
	if _, err := fmt.Sscanf(r.lines[0], "213 %d", &size); err != nil {
		c.fatalf("%v", err)
	}
	how, from := "resumed", size
	if size == u.old { // nothing of what was sent
		how, from = "repeated", u.at
	}
	if from > 0 {
		c.session.do(fmt.Sprintf("REST %d", from), "350")
	}
	c.store("STOR "+file, whole[from:])
	return how
}

// fetch reads a transfer to its end, however that comes, and returns the final reply.
func (c *faultCell) fetch(command string) string {
	c.t.Helper()
	conn := c.passive()
	_ = conn.SetDeadline(time.Now().Add(cellTime))
	defer conn.Close()
	r := c.session.do(command, "150", "4", "5")
	if r.code != "150" {
		return r.code
	}
	c.got, _ = io.ReadAll(conn) // what is missing the reply tells
	return c.read().code
}

// reading is a command that changes nothing of these objects, and fetches want.
func (v faultVerb) reading(objects map[string][]byte, command string, want func() []byte) faultVerb {
	v.done, v.before = "226", func(*faultCell) {}
	v.begin = func(t *testing.T, c *faultCell) {
		for key, data := range objects {
			c.put(t, key, data)
		}
	}
	v.do = func(c *faultCell) string { return c.fetch(command) }
	v.again = func(c *faultCell) string {
		if code := c.fetch(command); code != v.done {
			c.fatalf("again: %s", code)
		}
		return "repeated"
	}
	v.old = func(ctx context.Context, c *faultCell) error { return c.holdsAll(ctx, objects) }
	v.new = func(ctx context.Context, c *faultCell) error {
		if !bytes.Equal(c.got, want()) {
			return fmt.Errorf("%d octets came, or others than the %d there are", len(c.got), len(want()))
		}
		return v.old(ctx, c)
	}
	return v
}

func retrVerb(o operationNames) faultVerb {
	data := content(3 << 20)
	v := faultVerb{name: "RETR", main: o.get, read: o.get}
	return v.reading(map[string][]byte{"f.bin": data}, "RETR f.bin", func() []byte { return data })
}

func listVerb(o operationNames) faultVerb {
	objects := map[string][]byte{}
	var names strings.Builder
	for i := range 20 {
		name := fmt.Sprintf("%03d.bin", i)
		objects[name] = nil
		fmt.Fprintf(&names, "%s\r\n", name)
	}
	v := faultVerb{name: "NLST", main: o.list, read: o.list}
	return v.reading(objects, "NLST", func() []byte { return []byte(names.String()) })
}

// changing is a command without a transfer between two states of the bucket.
func (v faultVerb) changing(before, after map[string][]byte, commands ...string) faultVerb {
	last := len(commands) - 1
	v.begin = func(t *testing.T, c *faultCell) {
		for key, data := range before {
			c.put(t, key, data)
		}
	}
	v.before = func(c *faultCell) {
		for _, command := range commands[:last] {
			c.session.do(command, "3")
		}
	}
	v.do = func(c *faultCell) string { return c.session.do(commands[last], "2", "4", "5").code }
	v.again = func(c *faultCell) string {
		v.before(c)
		c.session.do(commands[last], v.done)
		return "repeated"
	}
	v.old = func(ctx context.Context, c *faultCell) error { return c.holdsAll(ctx, before) }
	v.new = func(ctx context.Context, c *faultCell) error { return c.holdsAll(ctx, after) }
	return v
}

func rntoVerb(o operationNames) faultVerb {
	data := content(100_000)
	v := faultVerb{name: "RNTO", done: "250", main: o.copy, commit: o.copy}
	return v.changing(map[string][]byte{"f.bin": data}, map[string][]byte{"g.bin": data}, "RNFR f.bin", "RNTO g.bin")
}

func deleVerb(o operationNames) faultVerb {
	v := faultVerb{name: "DELE", done: "250", main: o.remove, commit: o.remove}
	return v.changing(map[string][]byte{"f.bin": {1}, "g.bin": {2}}, map[string][]byte{"g.bin": {2}}, "DELE f.bin")
}

func mkdVerb(o operationNames) faultVerb {
	v := faultVerb{name: "MKD", done: "257", main: o.put, commit: o.put}
	return v.changing(nil, map[string][]byte{"d/": {}}, "MKD d")
}
