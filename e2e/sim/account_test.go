package sim

import (
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

// fileName and dirName are absolute paths, few, so that clients meet there.
func (w *world) fileName() string {
	return w.dirName() + "/f" + strconv.Itoa(w.pick(3))
}

func (w *world) dirName() string {
	return one(w, "", "", "/d", "/d/e", "/g", "/shared", "/shared", "/shared/d", "/in/common", "/in/common/d")
}
