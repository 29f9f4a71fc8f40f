package ftptest

import (
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// tree is the files of a server, by their paths.
type tree struct {
	mu    sync.Mutex
	nodes map[string]*node
}

// node is a file or directory. Its fields are not changed once it is in the tree.
type node struct {
	dir     bool
	content []byte
	mod     time.Time
}

func (n *node) facts() string {
	if n.dir {
		return "modify=" + n.mod.UTC().Format(stamp) + ";type=dir;"
	}
	return fmt.Sprintf("modify=%s;size=%d;type=file;", n.mod.UTC().Format(stamp), len(n.content))
}

// long is a line of LIST.
func (n *node) long(name string) string {
	mode := "-rw-r--r--"
	if n.dir {
		mode = "drwxr-xr-x"
	}
	date := n.mod.UTC().Format("Jan _2  2006")
	if age := time.Since(n.mod); 0 <= age && age < 180*24*time.Hour {
		date = n.mod.UTC().Format("Jan _2 15:04")
	}
	return fmt.Sprintf("%s    1 old      old      %8d %s %s", mode, len(n.content), date, name)
}

func (t *tree) node(p string) (node, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.nodes[p]
	if !ok {
		return node{}, false
	}
	return *n, true
}

func (t *tree) get(p string) (string, bool) {
	n, ok := t.node(p)
	return string(n.content), ok && !n.dir
}

func (t *tree) modTime(p string) time.Time {
	n, _ := t.node(p)
	return n.mod
}

// put makes a file, and the directories above it; a path that ends in "/" is a directory.
func (t *tree) put(p string, content []byte, mod time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	dir := strings.HasSuffix(p, "/")
	p = path.Clean(p)
	t.nodes[p] = &node{dir: dir, content: content, mod: mod}
	for p != "/" {
		p = path.Dir(p)
		if t.nodes[p] == nil {
			t.nodes[p] = &node{dir: true, mod: mod}
		}
	}
}

// may tells whether a file can be written: its directory is there, and it is none itself.
func (t *tree) may(p string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	parent, n := t.nodes[path.Dir(p)], t.nodes[p]
	return parent != nil && parent.dir && (n == nil || !n.dir)
}

func (t *tree) mkdir(p string) bool {
	if _, there := t.node(p); there || !t.may(p) {
		return false
	}
	t.put(p+"/", nil, time.Now())
	return true
}

func (t *tree) rmdir(p string) bool {
	for range t.children(p) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.nodes[p]; n == nil || !n.dir || p == "/" {
		return false
	}
	delete(t.nodes, p)
	return true
}

func (t *tree) remove(p string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.nodes[p]; n == nil || n.dir {
		return false
	}
	delete(t.nodes, p)
	return true
}

// rename moves a file or a directory, and replaces a file.
func (t *tree) rename(from, to string) bool {
	if !t.may(to) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for p, n := range maps.Clone(t.nodes) {
		if rest, below := strings.CutPrefix(p, from); below && (rest == "" || rest[0] == '/') {
			delete(t.nodes, p)
			t.nodes[to+rest] = n
		}
	}
	return true
}

func (t *tree) setTime(p string, mod time.Time) bool {
	n, ok := t.node(p)
	if !ok {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n.mod = mod
	t.nodes[p] = &n
	return true
}

// children gives what is in a directory, in the order of the names backwards: old servers
// list in no order that one could rely on.
func (t *tree) children(dir string) iter.Seq2[string, *node] {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := map[string]*node{}
	for p, n := range t.nodes {
		if p != "/" && path.Dir(p) == dir {
			found[path.Base(p)] = n
		}
	}
	return func(yield func(string, *node) bool) {
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(found))) {
			if !yield(name, found[name]) {
				return
			}
		}
	}
}
