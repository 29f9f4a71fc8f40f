package sim

import (
	"slices"
	"strconv"
	"strings"

	"causeway/backends"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// account is who clients log in as.
type account struct {
	name   string
	mounts []mount
}

// mount is a part of the bucket as an account sees it.
type mount struct {
	path       string // "" for the root, else without a final slash
	prefix     string // ends in "/"
	overwrite  vfs.Overwriting
	concurrent vfs.Concurrency
	incomplete ftp.Incomplete
}

func (m mount) replaces() bool  { return m.overwrite == vfs.ReplaceExisting }
func (m mount) keepsBoth() bool { return m.overwrite == vfs.KeepBoth }

func (m mount) at(path string) mount {
	m.path = path
	return m
}

// of is the mount as the gateway has it.
func (m mount) of(store backends.Backend) vfs.Mount {
	return vfs.Mount{
		Path: "/" + strings.TrimPrefix(m.path, "/"), Store: store, Prefix: m.prefix,
		Rights:    vfs.List | vfs.Read | vfs.Write | vfs.Overwrite | vfs.Delete | vfs.Rename | vfs.Mkdir,
		Uploads:   ftp.Policy{Incomplete: m.incomplete},
		Overwrite: m.overwrite, Concurrent: m.concurrent,
	}
}

// sharedMount draws the policies of what all accounts share.
func (w *world) sharedMount() mount {
	return mount{
		prefix:     "s/",
		overwrite:  one(w, vfs.ReplaceExisting, vfs.ReplaceExisting, vfs.RefuseExisting, vfs.KeepBoth),
		concurrent: one(w, vfs.LastWins, vfs.OneWriter),
		incomplete: one(w, ftp.ParkIncomplete, ftp.ParkIncomplete, ftp.ParkIncomplete, ftp.DiscardIncomplete),
	}
}

// mountOf is the mount in which an absolute path is.
func (a *account) mountOf(path string) mount {
	var best mount
	for _, m := range a.mounts {
		if strings.HasPrefix(path+"/", m.path+"/") && len(m.path) >= len(best.path) {
			best = m
		}
	}
	return best
}

// key is the key that an absolute path means.
func (a *account) key(path string) string {
	m := a.mountOf(path)
	return m.prefix + strings.TrimPrefix(path[len(m.path):], "/")
}

// register is a path of the registers, whose histories are checked for linearizability.
func (a *account) register(w *world) string {
	for _, m := range a.mounts {
		if m.prefix == w.sharing.prefix {
			return m.path + "/r" + strconv.Itoa(w.pick(2))
		}
	}
	return ""
}

// path is an absolute path that means a key; "" if there is none.
func (a *account) path(key string) string {
	for _, m := range a.mounts {
		if rest, ok := strings.CutPrefix(key, m.prefix); ok {
			return m.path + "/" + rest
		}
	}
	return ""
}

// fileName and dirName are absolute paths, few in one world, so that clients meet there.
func (w *world) fileName() string {
	return w.dirName() + "/f" + strconv.Itoa(w.pick(2))
}

func (w *world) dirName() string { return w.dirs[w.pick(len(w.dirs))] }

// someDirs draws the directories of a world.
func (w *world) someDirs() []string {
	all := []string{"", "/d", "/d/e", "/g", "/shared", "/shared/d", "/in/common", "/in/common/d"}
	w.driver.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return append(all[:2+w.pick(4)], "/shared", "/in/common")
}

// abandoned is the path of an upload that is parked and that the client may go on with; ""
// if there is none. Registers are only written as a whole.
func (c *client) abandoned() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var paths []string
	for _, k := range c.bucket.parked {
		if path := c.account.path(k.key); k.gone.IsZero() && path != "" && !strings.HasPrefix(k.key, "s/r") {
			paths = append(paths, path)
		}
	}
	if len(paths) == 0 {
		return ""
	}
	slices.Sort(paths) // maps have no order, and a seed has one
	return paths[c.pick(len(paths))]
}
