package vfs_test

import (
	"strings"
	"testing"

	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// TestFileLimit: no file becomes larger by an upload, whatever way it goes.
func TestFileLimit(t *testing.T) {
	b := newBucket(mem.Options{})
	b.fill("p/there", "123456")
	b.fill("p/large", strings.Repeat("x", 20))
	v := newView(t, vfs.Mount{Path: "/", Store: b, Prefix: "p/", Rights: all, FileLimit: 10})
	v.want(v.store("ten", "0123456789"), "ok")
	v.want(v.store("eleven", "0123456789a"), "quota")
	v.want(v.storeWith("announced", "", ftp.StoreOptions{Size: 11}), "quota")
	v.want(v.storeWith("announced", "0123456789", ftp.StoreOptions{Size: 10}), "ok")
	v.want(v.storeWith("there", "7890", ftp.StoreOptions{Append: true}), "ok")
	v.want(v.retrieve("there"), "1234567890")
	v.want(v.storeWith("there", "a", ftp.StoreOptions{Append: true}), "quota")
	v.want(v.storeWith("there", "90abc", ftp.StoreOptions{Offset: 8}), "quota")
	v.want(v.storeWith("there", "ab", ftp.StoreOptions{Offset: 8}), "ok")
	v.want(v.storeWith("large", "", ftp.StoreOptions{Append: true}), "quota")
	v.want(v.storeWith("large", "", ftp.StoreOptions{Offset: 99}), "restart")
	v.want(v.retrieve("there"), "12345678ab")
	b.wantKeys(t, "p/announced", "p/large", "p/ten", "p/there")
}

// TestFileLimitOfParkedUploads counts what was kept before.
func TestFileLimitOfParkedUploads(t *testing.T) {
	v := newView(t, vfs.Mount{Path: "/", Store: newBucket(mem.Options{}), Prefix: "p/", Rights: all, FileLimit: 10})
	u, _, err := v.Store(v.ctx, path(t, "f"), ftp.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("01234567")); err != nil {
		t.Fatal(err)
	}
	if n, err := u.Park(); n != 8 || err != nil {
		t.Fatalf("parked %d: %v", n, err)
	}
	v.want(v.storeWith("f", "89a", ftp.StoreOptions{Offset: 8}), "quota")
}
