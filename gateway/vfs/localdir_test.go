package vfs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/localdir"
	"causeway/gateway/ftp"
)

// TestS2_S4_S24_S30_OnATreeOfFiles runs a session on the store whose directories are real.
func TestS2_S4_S24_S30_OnATreeOfFiles(t *testing.T) {
	for name, wrap := range map[string]func(backends.Backend) backends.Backend{
		"plain":  func(b backends.Backend) backends.Backend { return b },
		"cached": cached,
	} {
		t.Run(name, func(t *testing.T) {
			store, err := localdir.New(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			v := onBucket(t, wrap(store), all)
			v.want(v.list("/"), "")
			v.want(v.mkd("/d"), "ok")
			v.want(v.mkd("/d"), "exists")
			v.want(v.enter("/d"), "ok")
			v.want(v.store("/d/e/x.tmp", "1"), "ok")
			v.want(v.rename("/d/e/x.tmp", "/d/e/x"), "ok")
			v.want(v.list("/d"), "e/")
			v.want(v.list("/d/e"), "x:1")
			v.want(v.mkd("/d/e/x"), "exists")
			v.want(v.store("/d/e/x/y", "1"), "exists")
			v.want(v.store("/d/e", "1"), map[string]string{
				"plain":  "exists", // the store finds out at commit
				"cached": "is dir", // known from the listing
			}[name])
			v.want(v.setTime("/d/e/x", time.Unix(1e9, 0)), "ok")
			v.want(v.rename("/d/e/x", "/f/x"), "ok")
			v.want(v.enter("/d/e"), "ok")
			v.want(v.list("/d/e"), "")
			v.want(v.rmd("/d"), "not empty")
			v.want(v.rmd("/d/e"), "ok")
			v.want(v.enter("/d/e"), "absent")
			v.want(v.rmd("/d"), "ok")
			v.want(v.retrieve("/f/x"), "1")
			v.want(v.dele("/f"), "is dir")
			v.want(v.rmd("/f/x"), "not dir")
			v.want(v.dele("/f/x"), "ok")
			v.want(v.list("/f"), "")
			v.want(v.rmd("/f"), "ok")
			v.want(v.list("/"), "")
		})
	}
}

// TestS2_S3_WhatNoFileIs: nothing is said to be removed that stays.
func TestS2_S3_WhatNoFileIs(t *testing.T) {
	dir := t.TempDir()
	store, err := localdir.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	v := onBucket(t, store, all)
	for _, name := range []string{"links", "latin"} {
		v.want(v.mkd("/"+name), "ok")
	}
	if err := os.Symlink("none", filepath.Join(dir, "p", "links", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "p", "latin", "caf\xe9"), nil, 0o600); err != nil {
		t.Fatalf("these tests need a file system that takes names which are not UTF-8: %v", err)
	}
	for _, name := range []string{"links", "latin"} {
		v.want(v.list("/"+name), "")
		v.want(v.rmd("/"+name), "not empty")
		v.want(v.enter("/"+name), "ok")
	}
	if logged := v.log.String(); strings.Count(logged, "keys=1") != 1 || !strings.Contains(logged, `caf\xe9`) {
		t.Errorf("logged: %s", logged)
	}
}

// TestS13_S14_S31_OnATreeOfFiles parks, resumes and appends, and renames directories, on
// the store whose directories are real.
func TestS13_S14_S31_OnATreeOfFiles(t *testing.T) {
	for name, wrap := range map[string]func(backends.Backend) backends.Backend{
		"plain":  func(b backends.Backend) backends.Backend { return b },
		"cached": cached,
	} {
		t.Run(name, func(t *testing.T) {
			store, err := localdir.New(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			v := onBucket(t, wrap(store), all)
			v.want(v.park("/d/x", "012345", ftp.StoreOptions{}), "6")
			v.want(v.list("/d")+" "+v.stat("/d/x"), "x:6 x:6")
			v.want(v.storeWith("/d/x", "--", restart(2)), "ok")
			v.want(v.storeWith("/d/x", "+", appending), "ok")
			v.want(v.storeWith("/d/x", "!", restart(4)), "ok")
			v.want(v.retrieve("/d/x"), "01--!")
			v.want(v.store("/d/e/y", "1"), "ok")
			v.want(v.store("/f/z", "1"), "ok")
			v.want(v.rename("/d", "/f"), "exists")
			v.want(v.rename("/d", "/d/e/n"), "invalid")
			v.want(v.rename("/d", "/n/m"), "ok")
			v.want(v.list("/")+" | "+v.list("/n/m")+" | "+v.list("/n/m/e"), "f/ n/ | e/ x:5 | y:1")
			v.want(v.enter("/d"), "absent")
			v.want(v.retrieve("/n/m/x"), "01--!")
			v.want(v.rename("/n/m", "/d"), "ok")
			v.want(v.enter("/n"), "ok") // it was left empty
		})
	}
}
