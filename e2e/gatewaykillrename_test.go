//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// momentsOfRenames are those of a file, which is copied and then deleted, where the store
// does not rename.
var momentsOfRenames = map[string][]moment{
	"s3": {
		{name: "before the copy", operation: "CopyObject"},
		{name: "the copy arrives late", operation: "CopyObject", late: true},
		{name: "after the copy", operation: "CopyObject", after: true},
		{name: "before the source goes", operation: "DeleteObject"},
		{name: "after the source went", operation: "DeleteObject", after: true},
	},
	"gcs": {
		{name: "before the copy", operation: "objects.rewrite"},
		{name: "after the copy", operation: "objects.rewrite", after: true},
		{name: "after the source went", operation: "objects.delete", after: true},
	},
	"azure": {
		{name: "before the copy", operation: "CopyBlobFromURL"},
		{name: "after the copy", operation: "CopyBlobFromURL", after: true},
		{name: "after the source went", operation: "DeleteBlob", after: true},
	},
}

// sources is what the old names begin with.
const sources = "from-"

// treeSize is how many objects the directories of these tests hold, the marker among them.
const treeSize = 4

// momentsOfTrees are those of a directory: its journal, the copies, its journal again, the
// deletions, and the end of its journal. S3 makes copies that must not replace anything of
// a part, each with a record.
func momentsOfTrees(kind string) []moment {
	journal, within, copied, copies, deleted, last := "PutObject", reserved+"renames/", "UploadPartCopy", treeSize-1, "DeleteObject", 1
	switch kind {
	case "gcs":
		journal, within, copied, copies, deleted, last = "objects.insert", "", "objects.rewrite", treeSize, "objects.delete", treeSize+1
	case "azure":
		journal, copied, copies, deleted = "PutBlob", "CopyBlobFromURL", treeSize, "DeleteBlob"
	}
	moments := []moment{
		{name: "before the journal", operation: journal, within: within},
		{name: "after the journal", operation: journal, within: within, after: true},
		{name: "before the phase changes", operation: journal, within: within, nth: 2},
		{name: "after the phase has changed", operation: journal, within: within, nth: 2, after: true},
		{name: "before the journal goes", operation: deleted, within: within, nth: last},
		{name: "after the journal went", operation: deleted, within: within, nth: last, after: true},
	}
	if kind == "s3" {
		moments = append(moments,
			moment{name: "before a copy's record", operation: "PutObject", within: reserved + "uploads/"},
			moment{name: "before a copy is complete", operation: "CompleteMultipartUpload", nth: 2},
			moment{name: "a copy is complete late", operation: "CompleteMultipartUpload", nth: 2, late: true},
			moment{name: "after a copy is complete", operation: "CompleteMultipartUpload", nth: 2, after: true})
	}
	for n := 1; n <= copies; n++ {
		moments = append(moments,
			moment{name: fmt.Sprint("before copy ", n), operation: copied, nth: n},
			moment{name: fmt.Sprint("after copy ", n), operation: copied, nth: n, after: true})
	}
	source := deletions(kind)
	for n := 1; n <= treeSize; n++ {
		moments = append(moments,
			moment{name: fmt.Sprint("before deletion ", n), operation: deleted, within: source, nth: n},
			moment{name: fmt.Sprint("after deletion ", n), operation: deleted, within: source, nth: n, after: true})
	}
	return moments
}

// deletions is what the paths of the sources have in them, and no record's: see fill.
func deletions(kind string) string {
	if kind == "gcs" {
		return ""
	}
	return "/" + sources
}

// S30, S31: the gateway is killed at each step of RNTO. Each object is whole, at its old
// name or its new one or both; the same rename again completes it, and nothing is left of
// it in the end.
func TestS30_S31_S17_GatewayKilledInRename(t *testing.T) {
	for _, kind := range []string{"s3", "gcs", "azure"} {
		t.Run(kind, func(t *testing.T) {
			c := newCrashes(t, kind)
			t.Run("steps", func(t *testing.T) {
				for _, m := range momentsOfRenames[kind] {
					for _, over := range []bool{false, true} {
						t.Run(fmt.Sprintf("file/%s/over=%t", m.name, over), func(t *testing.T) {
							t.Parallel()
							(&crashedRename{crashing: crashing{crashes: c, moment: m, t: t}, over: over, again: true}).run()
						})
					}
				}
				for i, m := range momentsOfTrees(kind) {
					if kind != "s3" && os.Getenv("CAUSEWAY_KILLS") != "all" && i%3 != 0 {
						continue
					}
					t.Run("directory/"+m.name, func(t *testing.T) {
						t.Parallel()
						(&crashedRename{crashing: crashing{crashes: c, moment: m, t: t}, tree: true, again: i%4 != 3}).run()
					})
				}
			})
			c.sweep(t)
			c.table.print(os.Stdout, kind)
		})
	}
}

// crashedRename is one rename whose gateway is killed.
type crashedRename struct {
	crashing
	tree  bool // it is of a directory
	over  bool // there is a file of the new name
	again bool // the client repeats it
	from  string
	to    string
	names []string // of the objects, after from and to
	data  map[string][]byte
	old   []byte // of the file to be replaced
	end   crash
}

func (r *crashedRename) run() {
	r.t.Helper()
	r.end = crash{verb: "RNTO file", moment: r.moment.name}
	r.names = []string{""}
	if r.tree {
		r.end.verb = "RNTO directory"
		r.names = []string{"/", "/a", "/sub/b", "/sub/c"}
	}
	defer func() { r.table.add(r.end) }()
	r.fill()
	g, s := r.begin()
	s.do("RNFR "+r.from, "350")
	s.send("RNTO " + r.to)
	r.strike(g, s)
	r.judge()
	switch {
	case r.again:
		r.repeat()
	default:
		r.note()
	}
}

// fill puts the objects that are to be renamed.
func (r *crashedRename) fill() {
	r.t.Helper()
	r.from, r.to, r.data = sources+random(8), random(8), map[string][]byte{}
	for i, name := range r.names {
		r.mayLeave(r.to + name) // between the upload of a copy and its record
		r.data[name] = content(1000 * i)
		if !r.tree {
			r.data[name] = content(3 << 20)
		}
		r.write(r.from+name, r.data[name])
	}
	if r.over {
		r.old = content(previous)
		r.write(r.to, r.old)
	}
}

func (r *crashedRename) write(key string, data []byte) {
	r.t.Helper()
	if err := r.bucket.write(r.t.Context(), key, data); err != nil {
		r.t.Fatal(err)
	}
}

// judge looks at each object under both names.
func (r *crashedRename) judge() {
	r.t.Helper()
	olds, news := 0, 0
	for _, name := range r.names {
		before, after := r.there(r.from+name, r.data[name], nil), r.there(r.to+name, r.data[name], r.old)
		if !before && !after {
			r.end.lost = true
			r.t.Fatalf("%s%s is lost", r.from, name)
		}
		if before {
			olds++
		}
		if after {
			news++
		}
	}
	r.end.found = fmt.Sprintf("of %d at the old name %d, at the new one %d", len(r.names), olds, news)
}

// there tells whether a key has its data. It may have what was there before, or nothing.
func (r *crashedRename) there(key string, data, before []byte) bool {
	r.t.Helper()
	got, err := r.bucket.read(r.t.Context(), key)
	switch {
	case errors.Is(err, fs.ErrNotExist) && before == nil:
		return false
	case err != nil:
		r.end.lost = true
		r.t.Fatalf("%s: %v", key, err)
	case bytes.Equal(got, data):
		return true
	case before == nil || !bytes.Equal(got, before):
		r.end.torn = true
		r.t.Fatalf("%s has %d octets, want %d", key, len(got), len(data))
	}
	return false
}

// repeat renames again, by another gateway, unless there is nothing left to rename.
func (r *crashedRename) repeat() {
	r.t.Helper()
	s := r.next()
	if r.late {
		r.land()
	}
	if s.do("RNFR "+r.from, "350", "550").code == "350" {
		s.do("RNTO "+r.to, "250")
	}
	for _, name := range r.names {
		r.bucket.lacks(r.t, r.from+name)
		r.bucket.holds(r.t, r.to+name, r.data[name])
		r.expect(r.to + name)
	}
}

// land lets the copy arrive that was on its way.
func (r *crashedRename) land() {
	r.t.Helper()
	r.held.Remove()
	if r.tree {
		return // which of the copies it is only the repetition finds out, and it may meet it
	}
	err := poll(r.t.Context(), patience, func() error {
		got, err := r.bucket.read(r.t.Context(), r.to)
		if err == nil {
			err = same(got, r.data[""])
		}
		return err
	})
	if err != nil {
		r.t.Fatalf("what was on its way does not arrive: %v", err)
	}
}

// note expects in the end what is there now.
func (r *crashedRename) note() {
	r.t.Helper()
	for _, name := range r.names {
		for _, key := range []string{r.from + name, r.to + name} {
			if _, err := r.bucket.read(r.t.Context(), key); err == nil {
				r.expect(key)
			}
		}
	}
}
