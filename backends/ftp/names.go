package ftp

import (
	"crypto/rand"
	"io/fs"
	"path"
	"strings"

	"causeway/backends"
)

// The names of uploads that are under way.
const (
	partPrefix = ".causeway-"
	partSuffix = ".part"
)

// partName is a new name for an upload beside a file.
func partName(name string) string {
	return path.Join(path.Dir(name), partPrefix+strings.ToLower(rand.Text())+partSuffix)
}

// isPart tells the name of an upload from that of a file.
func isPart(name string) bool {
	return strings.HasPrefix(name, partPrefix) && strings.HasSuffix(name, partSuffix)
}

// path is where the key's file or directory is on the server.
func (s *Store) path(key string) (string, error) {
	if !backends.ValidKey(key) || strings.ContainsAny(key, "\r\n") {
		return "", fs.ErrInvalid
	}
	trimmed := strings.TrimSuffix(key, "/")
	for segment := range strings.SplitSeq(trimmed, "/") {
		if segment == "" || segment == "." || segment == ".." || isPart(segment) {
			return "", fs.ErrInvalid
		}
	}
	return s.root + "/" + trimmed, nil
}

// directory is where the directory of a key prefix is, which is "" or ends in "/".
func (s *Store) directory(prefix string) (string, error) {
	if prefix != "" {
		return s.path(prefix)
	}
	return s.root + "/", nil
}
