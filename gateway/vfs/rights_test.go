package vfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// operations are what a right, or a set of them, allows on one mount, with their outcome
// without it. The outcome must not depend on whether the file is there.
var operations = []struct {
	name   string
	need   vfs.Rights
	do     func(*view) string
	denied string
	fact   ftp.Perm // the letter that says so
	of     string   // whose letter
}{
	{"RETR", vfs.Read, func(v *view) string { return ok(v.retrieve("/d/a") == "data of p/d/a") }, "", ftp.PermRetrieve, "/d/a"},
	{"STOR new", vfs.Write, func(v *view) string { return v.store("/d/new", "1") }, "denied", ftp.PermCreate, "/d"},
	{"STOR over", vfs.Write | vfs.Overwrite, func(v *view) string { return v.store("/d/a", "1") }, "", ftp.PermWrite, "/d/a"},
	{"DELE", vfs.Delete, func(v *view) string { return v.dele("/d/a") }, "denied", ftp.PermDelete, "/d/a"},
	{"RMD", vfs.Delete, func(v *view) string { return v.rmd("/d/empty") }, "denied", ftp.PermDelete, "/d/empty"},
	{"MKD", vfs.Mkdir, func(v *view) string { return v.mkd("/d/made") }, "denied", ftp.PermMkdir, "/d"},
	{"RNTO new", vfs.Rename | vfs.Write, func(v *view) string { return v.rename("/d/a", "/d/c") }, "", ftp.PermRename, "/d/a"},
	{"RNTO over", vfs.Rename | vfs.Write | vfs.Overwrite, func(v *view) string { return v.rename("/d/a", "/d/b") }, "", 0, ""},
	{"MFMT", vfs.Write | vfs.Overwrite, func(v *view) string { return v.setTime("/d/a", time.Unix(1, 0)) }, "denied", 0, ""},
	{"LIST", vfs.List, func(v *view) string { return ok(v.list("/d") == "a:13 b:13 empty/") }, "", ftp.PermList, "/d"},
	{"CWD", 0, func(v *view) string { return v.enter("/d") }, "", ftp.PermEnter, "/d"},
}

// TestP5_EveryRightAndEveryOperation tries all sets of rights on all operations: what is
// allowed, what is refused, that a refusal changes nothing, and that the facts of MLST
// show the letters of just the commands that work.
func TestP5_EveryRightAndEveryOperation(t *testing.T) {
	for rights := vfs.Rights(0); rights <= all; rights++ {
		for _, op := range operations {
			b := newBucket(mem.Options{}, "p/d/a", "p/d/b", "p/d/empty/")
			before := b.keys()
			v := onBucket(t, b.calls, rights)
			got := op.do(v)
			allowed := rights&op.need == op.need
			if allowed != strings.HasPrefix(got, "ok") {
				t.Errorf("%s with rights %07b: %s", op.name, rights, got)
			}
			if !allowed && op.denied != "" && got != op.denied {
				t.Errorf("%s with rights %07b: %s, want %s", op.name, rights, got, op.denied)
			}
			if !allowed && !slices.Equal(before, b.keys()) {
				t.Errorf("%s with rights %07b changed %q into %q", op.name, rights, before, b.keys())
			}
			if op.fact == 0 || rights&(vfs.List|vfs.Read) == 0 {
				continue
			}
			fresh := onBucket(t, newBucket(mem.Options{}, "p/d/a", "p/d/empty/"), rights)
			e, err := fresh.Stat(fresh.ctx, path(t, op.of), ftp.StatOptions{})
			if err != nil || (e.Perm&op.fact != 0) != allowed {
				t.Errorf("%s with rights %07b: facts %010b (%v)", op.name, rights, e.Perm, err)
			}
		}
	}
}

// TestP5_RenameNeedsRightsOnBothEnds tries all rights of the source's mount against all
// that matter at the target's.
func TestP5_RenameNeedsRightsOnBothEnds(t *testing.T) {
	for from := vfs.Rights(0); from <= all; from++ {
		for _, to := range []vfs.Rights{0, vfs.Write, vfs.Overwrite, vfs.Write | vfs.Overwrite, all, all &^ vfs.Write, all &^ vfs.Overwrite} {
			for target, need := range map[string]vfs.Rights{"/to/free": vfs.Write, "/to/taken": vfs.Write | vfs.Overwrite} {
				b := newBucket(mem.Options{}, "from/x", "to/taken")
				v := newView(t,
					vfs.Mount{Path: "/from", Store: b.calls, Prefix: "from/", Rights: from},
					vfs.Mount{Path: "/to", Store: b.calls, Prefix: "to/", Rights: to})
				got := v.rename("/from/x", target)
				crossing := vfs.Rename | vfs.Read | vfs.Delete
				if allowed := from&crossing == crossing && to&need == need; allowed != (got == "ok") {
					t.Errorf("rename to %s with rights %07b, %07b: %s", target, from, to, got)
				}
				if got != "ok" {
					b.wantKeys(t, "from/x", "to/taken")
				}
			}
		}
	}
}

func TestS40_DropBox(t *testing.T) {
	b := newBucket(mem.Options{}, "p/secret", "p/d/secret")
	v := onBucket(t, b.calls, vfs.Write)
	v.want(v.enter("/"), "ok")
	v.want(v.enter("/d"), "ok")
	v.want(v.enter("/none"), "ok")
	v.want(v.list("/"), "")
	v.want(v.list("/d"), "")
	v.want(v.list("/none"), "")
	if calls := b.calls.Take(); len(calls) != 0 {
		t.Errorf("the store was asked: %q", calls)
	}
	v.want(v.store("/d/mine", "12345"), "ok")
	v.want(v.stat("/d/mine"), "mine:5")
	v.want(v.store("/d/mine", "1"), "exists")
	v.want(v.store("/d/secret", "1"), "exists")
	v.want(v.stat("/d/secret"), "absent")
	v.want(v.retrieve("/d/mine"), "denied")
	b.wantKeys(t, "p/d/mine", "p/d/secret", "p/secret")
	for i := range 100 {
		v.want(v.store(fmt.Sprintf("/%d", i), "1"), "ok")
	}
	v.want(v.stat("/99"), "99:1")
	v.want(v.stat("/d/mine"), "absent") // what a session remembers is bounded
}

func TestS40_OwnUploadIsRememberedUnderItsNewName(t *testing.T) {
	v := onBucket(t, newBucket(mem.Options{}).calls, vfs.Write|vfs.Rename|vfs.Delete)
	v.want(v.store("/x.tmp", "123"), "ok")
	v.want(v.rename("/x.tmp", "/x"), "ok")
	v.want(v.stat("/x"), "x:3")
	v.want(v.stat("/x.tmp"), "absent")
	v.want(v.dele("/x"), "ok")
	v.want(v.stat("/x"), "absent")
}

// TestS40_RenameTellsNothingOfForeignFiles: to whom a file may not be shown, it is not
// shown under a name that they have given it either.
func TestS40_RenameTellsNothingOfForeignFiles(t *testing.T) {
	b := newBucket(mem.Options{}, "p/foreign", "p/also")
	v := onBucket(t, b.calls, vfs.Write|vfs.Overwrite|vfs.Rename|vfs.Delete)
	v.want(v.rename("/foreign", "/x"), "ok")
	v.want(v.stat("/x"), "absent")
	v.want(v.store("/y", "123"), "ok")
	v.want(v.rename("/also", "/y"), "ok")
	v.want(v.stat("/y"), "absent")
	b.wantKeys(t, "p/x", "p/y")
}

func TestS40_RenamedUploadHasItsNewVersion(t *testing.T) {
	here, there := newBucket(mem.Options{}), newBucket(mem.Options{})
	v := newView(t, vfs.Mount{Path: "/here", Store: here.calls, Rights: all &^ vfs.List},
		vfs.Mount{Path: "/there", Store: there.calls, Rights: all &^ vfs.List &^ vfs.Read})
	for range 3 { // so that versions of the two stores differ
		there.fill("z", "")
	}
	v.want(v.store("/here/x.tmp", "123"), "ok")
	v.want(v.rename("/here/x.tmp", "/there/x"), "ok")
	obj, err := there.Store.Stat(t.Context(), "x", backends.StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := v.Stat(v.ctx, path(t, "/there/x"), ftp.StatOptions{})
	if err != nil || e.Version != obj.ETag || e.Size != 3 {
		t.Errorf("got %+v, %v; the store's version is %s", e, err, obj.ETag)
	}
}

func TestS43_CredentialsThatMayOnlyPut(t *testing.T) {
	for name, stat := range map[string]error{"403": fs.ErrPermission, "403 told as 404": fs.ErrNotExist} {
		t.Run(name, func(t *testing.T) {
			b := newBucket(mem.Options{}, "p/d/a")
			b.faults.Add(backendtest.Fault{Verb: "stat", Err: &backends.Error{Op: "stat", Kind: stat}})
			for _, verb := range []string{"list", "open", "delete", "copy", "move"} {
				b.faults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: fs.ErrPermission}})
			}
			v := onBucket(t, cached(b.calls), all)
			v.want(v.enter("/d"), "ok")
			v.want(v.enter("/none"), "ok")
			v.want(v.list("/"), "")
			v.want(v.list("/d"), "")
			v.want(v.stat("/d/a"), "absent")
			v.want(v.store("/d/new", "123"), "ok")
			v.want(v.stat("/d/new"), "new:3")
			v.want(v.mkd("/made"), "ok")
			v.want(v.rmd("/d"), "denied")
			b.wantKeys(t, "p/d/a", "p/d/new", "p/made/")
		})
	}
}

func TestS43_CredentialsThatMayNotLook(t *testing.T) {
	b := newBucket(mem.Options{}, "p/d/a")
	for _, verb := range []string{"stat", "list"} {
		b.faults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: fs.ErrPermission}})
	}
	v := onBucket(t, b.calls, all&^vfs.Overwrite)
	v.want(v.store("/d/a", "1"), "exists") // the store's own condition finds out
	v.want(v.dele("/d/a"), "ok")
	b.wantKeys(t) // no marker: whether it is needed cannot be known
	if v.log.Len() > 0 {
		t.Errorf("what is meant to be so was logged: %s", v.log)
	}
}

func TestS43_GoneIsGoneWhereTheStoreCanBeSeen(t *testing.T) {
	b := newBucket(mem.Options{})
	v := onBucket(t, b.calls, all)
	v.want(v.store("/a", "1"), "ok")
	if err := b.Store.Delete(v.ctx, "p/a", backends.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	v.want(v.stat("/a"), "absent")
}

// TestS43_ForbiddenToConnectIsNotBlind: a firewall's EACCES is not the store's answer. A mirror that
// was told of an empty directory would empty its own.
func TestS43_ForbiddenToConnectIsNotBlind(t *testing.T) {
	b := newBucket(mem.Options{}, "p/d/a")
	forbidden := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EACCES)}
	for _, verb := range []string{"stat", "list", "open", "create", "delete"} {
		b.faults.Add(backendtest.Fault{Verb: verb, Err: &backends.Error{Op: verb, Kind: backends.ErrUnavailable, Err: forbidden}})
	}
	v := onBucket(t, cached(b.calls), all)
	for name, got := range map[string]string{
		"CWD": v.enter("/d"), "LIST of all": v.list("/"), "LIST": v.list("/d"), "SIZE": v.stat("/d/a"), "RETR": v.retrieve("/d/a"),
		"STOR": v.store("/d/a", "1"), "DELE": v.dele("/d/a"), "MKD": v.mkd("/new"), "RMD": v.rmd("/d"),
	} {
		if got != "unavailable" {
			t.Errorf("%s: %s", name, got)
		}
	}
	b.faults.Clear()
	b.wantKeys(t, "p/d/a")
}

// TestP21_NoOracle compares what is denied with what is absent.
func TestP21_NoOracle(t *testing.T) {
	for rights := vfs.Rights(0); rights <= all; rights++ {
		if rights&(vfs.List|vfs.Read) != 0 {
			continue
		}
		v := onBucket(t, newBucket(mem.Options{}, "p/secret", "p/d/x").calls, rights)
		for _, o := range []ftp.StatOptions{{}, {Complete: true}} {
			for _, name := range []string{"/secret", "/none", "/d", "/d/x", "/.causeway", "/.causeway/x"} {
				_, err := v.Stat(v.ctx, path(t, name), o)
				if outcome(err) != "absent" || errors.Is(err, fs.ErrPermission) {
					t.Errorf("stat %s with rights %07b: %v", name, rights, err)
				}
			}
		}
		v.want(v.enter("/secret"), v.enter("/none"))
		v.want(v.list("/d"), v.list("/none"))
		v.want(v.retrieve("/secret"), v.retrieve("/none"))
	}
}

func TestSumsNeedTheRightToRead(t *testing.T) {
	b := newBucket(mem.Options{}, "p/a")
	for rights, want := range map[vfs.Rights]int{vfs.List: 0, vfs.Read: 1} {
		e, err := onBucket(t, b, rights).Stat(t.Context(), path(t, "/a"), ftp.StatOptions{Complete: true})
		if err != nil || len(e.Sums) != want {
			t.Errorf("rights %07b: sums %v, %v", rights, e.Sums, err)
		}
	}
}
