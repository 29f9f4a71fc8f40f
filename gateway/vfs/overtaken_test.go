package vfs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/localdir"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// TestS13_X15_OvertakenUploadIsNotParked: the connection of a client dies unnoticed, it
// comes back and sends the file again; only then the first upload is given up. It must not
// come up as something newer than the file.
func TestS13_X15_OvertakenUploadIsNotParked(t *testing.T) {
	for name, finish := range map[string]func(*view) string{
		"upload":    func(v *view) string { return v.store("/d/x", "finished") },
		"rename":    func(v *view) string { return v.store("/tmp", "finished") + v.rename("/tmp", "/d/x") },
		"directory": func(v *view) string { return v.store("/e/x", "finished") + v.rename("/e", "/d") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProcess(vfs.Mount{}, mem.Options{})
				dead, v := p.session(t), p.session(t)
				u := dead.begin("/d/x", "first")
				tick()
				v.want(finish(v)[:2], "ok")
				tick()
				if n, err := u.Park(); n != 0 || err != nil {
					t.Errorf("parked %d octets: %v", n, err)
				}
				v.want(v.stat("/d/x"), "x:8")
				v.want(v.storeWith("/d/x", "+", appending), "ok")
				p.wantContent(t, "p/d/x", "finished+")
				if left := p.Uploads(); len(left) > 0 {
					t.Errorf("left: %q", left)
				}
			})
		})
	}
}

// TestS13_WhatIsWrittenLastIsParked: an upload that got octets after the file was there is
// the newer one.
func TestS13_WhatIsWrittenLastIsParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(vfs.Mount{}, mem.Options{})
		one, two := p.session(t), p.session(t)
		u := one.begin("/x", "first")
		two.want(two.store("/x", "finished"), "ok")
		tick()
		if _, err := u.Write([]byte(" and more")); err != nil {
			t.Fatal(err)
		}
		if n, err := u.Park(); n != 14 || err != nil {
			t.Errorf("parked %d octets: %v", n, err)
		}
		two.want(two.stat("/x"), "x:14")
		two.want(two.retrieve("/x"), "finished")
	})
}

// TestS13_S17_ParkedBesideARunningUpload ends when that becomes the file, which on S3 has
// the time at which it began.
func TestS13_S17_ParkedBesideARunningUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProcess(vfs.Mount{}, mem.Options{})
		one, two := p.session(t), p.session(t)
		u := one.begin("/x", "whole")
		tick()
		two.want(two.park("/x", "half", ftp.StoreOptions{}), "4")
		tick()
		one.want(commit(u), "ok")
		if left := p.Uploads(); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
	})
}

// TestS13_X15_DirectoryTakesTheNamesOfUploads: the files of a directory that is renamed at
// once keep their times, and go before what had been parked under their new names.
func TestS13_X15_DirectoryTakesTheNamesOfUploads(t *testing.T) {
	store, err := localdir.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for name, s := range map[string]backends.Backend{"plain": store, "cached": cached(store)} {
		t.Run(name, func(t *testing.T) {
			v := onBucket(t, s, all)
			v.want(v.store("/d/x", "file"), "ok")
			v.want(v.setTime("/d/x", time.Unix(1e9, 0)), "ok")
			v.want(v.park("/n/x", "half of it", ftp.StoreOptions{}), "10")
			v.want(v.park("/n/y", "another", ftp.StoreOptions{}), "7")
			v.want(v.rename("/d", "/n"), "ok")
			v.want(v.stat("/n/x")+" "+v.stat("/n/y"), "x:4 y:7")
			v.want(v.storeWith("/n/x", "+", appending), "ok")
			v.want(v.retrieve("/n/x"), "file+")
			v.want(v.dele("/n/x")+v.dele("/n/y")+v.rmd("/n"), "okokok")
		})
	}
}

// TestS13_S15_AnotherGatewayIsWriting: what another gateway has stored of an upload looks
// like what a dead one has left. Who has not been told of it neither goes on with it nor
// ends it.
func TestS13_S15_AnotherGatewayIsWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := mem.New(mem.Options{PartSize: 4})
		two := one.Reopen()
		a, b := onBucket(t, one, all), onBucket(t, two, all)
		u, _, err := a.Store(a.ctx, path(t, "/x"), ftp.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		b.want(b.storeWith("/x", "+", appending), "busy")
		tick()
		b.want(b.store("/x", "finished"), "ok")
		if _, err := u.Commit(); err != nil {
			t.Errorf("the upload was ended by another: %v", err)
		}
		b.want(b.stat("/x"), "x:10")

		left, _, err := a.Store(a.ctx, path(t, "/y"), ftp.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := left.Write([]byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		one.Crash()
		b.want(b.storeWith("/y", "+", appending), "busy")
		b.want(b.stat("/y"), "y:8") // now it knows
		b.want(b.storeWith("/y", "89", appending), "ok")
		b.want(b.stat("/y"), "y:10")
		if uploads := two.Uploads(); len(uploads) > 0 {
			t.Errorf("left: %q", uploads)
		}
	})
}

// TestS13_WhatADeadGatewayHasLeft is gone on with without a question when no gateway can
// be writing it any more.
func TestS13_WhatADeadGatewayHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := mem.New(mem.Options{PartSize: 4})
		v := onBucket(t, one, all)
		u, _, err := v.Store(v.ctx, path(t, "/x"), ftp.StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("01234567")); err != nil {
			t.Fatal(err)
		}
		one.Crash()
		time.Sleep(2 * time.Hour)
		v.want(v.storeWith("/x", "89", appending), "ok")
		v.want(v.stat("/x"), "x:10")
	})
}

// TestS13_OvertakenCommitIsNotParked: a commit that the store does not answer for minutes is
// given up when the client has sent the file again: it must not come up as something newer.
func TestS13_OvertakenCommitIsNotParked(t *testing.T) {
	for _, again := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBucket(mem.Options{})
			names := vfs.NewNames()
			mount := vfs.Mount{Path: "/", Store: b.faults, Prefix: "p/", Rights: all}
			dead, v := sharedView(t, names, mount), sharedView(t, names, mount)
			u := dead.begin("/x", "first")
			tick()
			if again {
				v.want(v.store("/x", "finished"), "ok")
				tick()
			}
			b.faults.Add(backendtest.Fault{Verb: "commit", Err: &backends.Error{Op: "commit", Kind: backends.ErrUnavailable}})
			v.want(commit(u), "unavailable")
			b.faults.Clear()
			n, err := u.Park()
			if err != nil {
				t.Fatal(err)
			}
			if again {
				v.want(v.storeWith("/x", "+", appending), "ok")
				v.want(v.retrieve("/x"), "finished+")
			} else if n != 5 {
				t.Errorf("parked %d octets", n)
			}
		})
	}
}

// TestS13_OvertakenWhileParking: the file takes the name when the parking has begun.
func TestS13_OvertakenWhileParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v *view
		store := &slowStore{Store: mem.New(mem.Options{}), parking: func() {
			tick()
			v.want(v.store("/x", "finished"), "ok")
			tick()
		}}
		names := vfs.NewNames()
		mount := vfs.Mount{Path: "/", Store: store, Prefix: "p/", Rights: all}
		dead := sharedView(t, names, mount)
		v = sharedView(t, names, mount)
		u := dead.begin("/x", "first")
		if n, err := u.Park(); n != 0 || err != nil {
			t.Errorf("parked %d octets: %v", n, err)
		}
		v.want(v.storeWith("/x", "+", appending), "ok")
		v.want(v.retrieve("/x"), "finished+")
	})
}

// TestS13_ParkedWhileCommitting: an upload is parked while a file of its name is committed.
func TestS13_ParkedWhileCommitting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := vfs.NewNames()
		store := &slowStore{Store: mem.New(mem.Options{})}
		mount := vfs.Mount{Path: "/", Store: store, Prefix: "p/", Rights: all}
		dead, v := sharedView(t, names, mount), sharedView(t, names, mount)
		u := dead.begin("/x", "first")
		tick()
		store.committing = func() {
			store.committing = nil
			tick()
			if n, err := u.Park(); n != 5 || err != nil {
				t.Errorf("parked %d octets: %v", n, err)
			}
			tick()
		}
		v.want(v.store("/x", "finished"), "ok")
		v.want(v.stat("/x"), "x:8")
		v.want(v.storeWith("/x", "+", appending), "ok")
		v.want(v.retrieve("/x"), "finished+")
	})
}

// slowStore is a store in which something happens before an upload is parked, or after one
// has been committed and before anybody hears of it.
type slowStore struct {
	*mem.Store
	parking, committing func()
}

func (s *slowStore) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	u, err := s.Store.Create(ctx, key, o)
	return &slowUpload{u, s}, err
}

type slowUpload struct {
	backends.Upload
	store *slowStore
}

func (u *slowUpload) Park() (int64, error) {
	if u.store.parking != nil {
		u.store.parking()
	}
	return u.Upload.Park()
}

func (u *slowUpload) Commit() (backends.Object, error) {
	o, err := u.Upload.Commit()
	if u.store.committing != nil {
		u.store.committing()
	}
	return o, err
}
