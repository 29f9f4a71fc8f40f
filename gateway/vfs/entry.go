package vfs

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// entry describes the file at.
func (at place) entry(obj backends.Object) ftp.Entry {
	e := ftp.Entry{
		Name:    at.path.Base(),
		Size:    obj.Size,
		ModTime: obj.Time(),
		Perm:    at.ofFile(),
		Unique:  at.unique(at.key),
		Version: obj.ETag,
	}
	if at.denies(at.path) {
		e.Perm &^= ftp.PermAppend | ftp.PermWrite
	}
	if at.rights.has(Read) && len(obj.Sums) > 0 {
		e.Sums = make(map[string][]byte, len(obj.Sums))
		for sum, value := range obj.Sums {
			e.Sums[string(sum)] = value
		}
	}
	return e
}

// dirEntry describes the directory at.
func (at place) dirEntry() ftp.Entry {
	e := ftp.Entry{Name: at.path.Base(), Dir: true, Perm: ftp.PermEnter | ftp.PermList}
	if at.mount == nil {
		return e // above the mounts: there is nothing to do but to go on
	}
	e.Unique = at.unique(at.dir())
	e.Perm = at.rights.ofDir()
	if at.denies(at.path) {
		e.Perm &^= ftp.PermCreate | ftp.PermMkdir
	}
	if at.fixed {
		e.Perm &^= ftp.PermDelete
	}
	return e
}

// unique names the object of key: the same by whatever mount it is seen.
func (m *mount) unique(key string) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(m.bucket) + "/" + key))
	return hex.EncodeToString(sum[:16])
}

// facts is what a right allows, as RFC 3659 §7.5.5 shows it. Letters are shown only where
// the command would be allowed, so Overwrite and Rename, which are nothing without Write,
// are tried with it.
type facts struct {
	need Rights
	perm ftp.Perm
}

func (m *mount) ofFile() ftp.Perm {
	p := m.rights.perm([]facts{
		{Delete, ftp.PermDelete},
		{Rename | Write, ftp.PermRename},
		{Read, ftp.PermRetrieve},
	})
	switch {
	case m.replaces():
		p |= ftp.PermAppend | ftp.PermWrite
	case m.overwrite == KeepBoth && m.rights.has(Write):
		p |= ftp.PermWrite
	}
	return p
}

func (r Rights) ofDir() ftp.Perm {
	return ftp.PermEnter | r.perm([]facts{
		{Write, ftp.PermCreate},
		{Delete, ftp.PermDelete | ftp.PermPurge},
		{List, ftp.PermList},
		{Mkdir, ftp.PermMkdir},
	})
}

func (r Rights) perm(table []facts) ftp.Perm {
	var p ftp.Perm
	for _, f := range table {
		if r.has(f.need) {
			p |= f.perm
		}
	}
	return p
}
