//go:build e2e

package e2e

import (
	"testing"
)

// oddNames are file names that clients and stores have trouble with. Those that
// S1 refuses (NUL, CR, LF, `.` and `..`) are tested with raw commands.
var oddNames = []string{
	"two words.txt", "trailing ", " leading", "-dash", "--help", ".hidden", "ünïcode-漢字-ß", "#hash", "%41", "a?b", "a+b",
	"it's", `say "hi"`, "semi;colon", "amp&ersand", "st*r", "[brackets]", "tilde~", "comma,name", "UPPER.and.lower", "$HOME", "a:b", "a=b", "a@b",
}

// oddNames takes each name through upload, one listing of all, download, and
// delete.
func (c cell) oddNames(t *testing.T) {
	c.begin(t)
	c.mkdir(t)
	contents := map[string][]byte{}
	for _, name := range oddNames {
		if reason := c.client.unspeakable(name); reason != "" {
			board.explain(c.client.name(), "name "+quote(name)+": "+reason)
			continue
		}
		uploaded := t.Run("upload "+name, func(t *testing.T) { contents[name] = c.upload(t, c.dir+"/"+name) })
		if !uploaded {
			delete(contents, name)
			board.recordOdd(row{c.client.name(), c.bucket.kind}, false)
		}
	}
	t.Run("list", func(t *testing.T) {
		var names []string
		for name := range contents {
			names = append(names, name)
		}
		c.list(t, names...)
	})
	for name, data := range contents {
		t.Run("download "+name, func(t *testing.T) {
			passed := false
			defer func() { board.recordOdd(row{c.client.name(), c.bucket.kind}, passed) }()
			remote := c.dir + "/" + name
			c.download(t, remote, data)
			if c.does(t, "delete", c.client.remove(c.site, remote)) {
				c.absent(t, remote)
			}
			passed = true
		})
	}
}
