//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/backends"
	"causeway/backends/multipart"
	"causeway/backends/s3"
	"causeway/e2e/stores"
	"causeway/gateway/ftp"
	"causeway/gateway/vfs"
)

// everyRight is what the view lets do below a mount.
const everyRight = vfs.List | vfs.Read | vfs.Write | vfs.Overwrite | vfs.Delete | vfs.Rename | vfs.Mkdir

// owner is the bucket as the store of a configuration has it, with its owner's keys.
func (b s3Bucket) owner(t testing.TB) *s3.Store {
	t.Helper()
	store, err := s3.New(t.Context(), s3.Config{
		Bucket: b.name, Region: stores.S3Region, Endpoint: shared.servers.S3, PathStyle: true,
		AccessKey: stores.S3Key, SecretKey: stores.S3Secret, Budget: multipart.NewBudget(64<<20, nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// TestO8_TheStoreRefusesWhatABugWouldAllow turns the gateway's own check off: acme has a
// view of globex's prefix, with every right. Its way to the bucket, by keys of its own or by
// a session of a role, is refused by the server all the same, and nothing of globex's is
// seen, changed or added to.
func TestO8_TheStoreRefusesWhatABugWouldAllow(t *testing.T) {
	access := []s3.Access{{Prefix: "in/acme/", List: true, Read: true, Write: true, Delete: true, Rename: true}}
	for name, way := range map[string]func(t *testing.T, b s3Bucket) *s3.Store{
		"keys": func(t *testing.T, b s3Bucket) *s3.Store {
			key, secret := stores.S3Guest(0)
			b.allow(t, b.published(t, "full.json", key)...)
			return wayOf(t, b, s3.Identity{AccessKey: key, SecretKey: secret})
		},
		"role": func(t *testing.T, b s3Bucket) *s3.Store {
			service := newSecurity(t, b)
			return wayOf(t, b, s3.Identity{Role: &s3.Role{ARN: roleARN, Endpoint: service.url, Session: "acme", Access: access}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := freshS3(t)
			store := way(t, b)
			filled(t, b)
			before := b.everything(t)
			trespass(t, viewOf(t, store, "in/globex/"))
			trespassByKeys(t, store)
			if after := b.everything(t); !slices.Equal(after, before) {
				t.Errorf("the bucket had %q, and has %q", before, after)
			}
			// The wall is around globex, not around all.
			if e, err := viewOf(t, store, "in/acme/").Stat(t.Context(), pathTo(t, "report"), ftp.StatOptions{}); err != nil || e.Size != 4 {
				t.Errorf("acme's own file: %+v, %v", e, err)
			}
		})
	}
}

func wayOf(t *testing.T, b s3Bucket, id s3.Identity) *s3.Store {
	t.Helper()
	store, err := b.owner(t).As(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// filled puts into the bucket what two accounts have, parked uploads among it.
func filled(t *testing.T, b s3Bucket) {
	t.Helper()
	owner := b.owner(t)
	for _, name := range []string{"acme", "globex"} {
		if err := b.write(t.Context(), "in/"+name+"/report", []byte("mine")); err != nil {
			t.Fatal(err)
		}
		if err := b.write(t.Context(), "in/"+name+"/sub/x", []byte("mine")); err != nil {
			t.Fatal(err)
		}
		u, err := owner.Create(t.Context(), "in/"+name+"/parked", backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("half")); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Park(); err != nil {
			t.Fatal(err)
		}
	}
}

// everything is the bucket's keys with their contents, the gateway's own among them.
func (b s3Bucket) everything(t *testing.T) []string {
	t.Helper()
	keys, err := b.keys(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		content, err := b.read(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key + "=" + string(content)
	}
	return keys
}

// viewOf is the view of an account with every right on a prefix, whatever that is.
func viewOf(t *testing.T, store backends.Backend, prefix string) ftp.FS {
	t.Helper()
	view, err := vfs.New([]vfs.Mount{{Path: "/", Store: store, Prefix: prefix, Rights: everyRight}},
		vfs.NewNames(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return view
}

func pathTo(t *testing.T, name string) ftp.Path {
	t.Helper()
	p, err := ftp.Path{}.Join(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// trespass tries every verb of a view on what is there and on what is not: none may succeed.
func trespass(t *testing.T, view ftp.FS) {
	t.Helper()
	for _, name := range []string{"report", "sub", "parked", "nothing"} {
		p := pathTo(t, name)
		for verb, try := range map[string]func(context.Context) error{
			"stat":     func(ctx context.Context) error { _, err := view.Stat(ctx, p, ftp.StatOptions{}); return err },
			"retrieve": func(ctx context.Context) error { _, err := view.Retrieve(ctx, p, ftp.RetrieveOptions{}); return err },
			"delete":   func(ctx context.Context) error { return view.Delete(ctx, p) },
			"mkdir":    func(ctx context.Context) error { return view.Mkdir(ctx, p) },
			"rmdir":    func(ctx context.Context) error { return view.Rmdir(ctx, p) },
			"rename":   func(ctx context.Context) error { return renamed(ctx, view, p, pathTo(t, "new")) },
			"settime":  func(ctx context.Context) error { return view.SetTime(ctx, p, time.Unix(1e9, 0)) },
			"store":    func(ctx context.Context) error { return stored(ctx, view, p, ftp.StoreOptions{}) },
			"unique":   func(ctx context.Context) error { return stored(ctx, view, p, ftp.StoreOptions{Unique: true}) },
			"append":   func(ctx context.Context) error { return stored(ctx, view, p, ftp.StoreOptions{Append: true}) },
			"restart":  func(ctx context.Context) error { return stored(ctx, view, p, ftp.StoreOptions{Offset: 2}) },
			"list":     func(ctx context.Context) error { return listed(ctx, view, p) },
		} {
			if err := try(t.Context()); err == nil || errors.Is(err, ftp.ErrUnavailable) {
				t.Errorf("%s of %s: %v", verb, name, err)
			}
		}
	}
	if err := listed(t.Context(), view, ftp.Path{}); err == nil {
		t.Error("the root can be listed")
	}
}

func renamed(ctx context.Context, view ftp.FS, from, to ftp.Path) error {
	end, err := view.Rename(ctx, from)
	if err != nil {
		return err
	}
	return end(ctx, to)
}

// stored uploads a file, and parks what cannot become one.
func stored(ctx context.Context, view ftp.FS, p ftp.Path, o ftp.StoreOptions) error {
	u, _, err := view.Store(ctx, p, o)
	if err != nil {
		return err
	}
	if _, err := u.Write([]byte("EVIL")); err != nil {
		return errors.Join(err, u.Abort())
	}
	if _, err = u.Commit(); err == nil {
		return nil
	}
	if n, parked := u.Park(); parked == nil && n > 0 {
		return nil
	}
	return errors.Join(err, u.Abort())
}

// listed fails unless something is listed.
func listed(ctx context.Context, view ftp.FS, dir ftp.Path) error {
	entries := 0
	for _, err := range view.List(ctx, dir) {
		if err != nil {
			return err
		}
		entries++
	}
	if entries == 0 {
		return fs.ErrNotExist
	}
	return nil
}

// trespassByKeys asks the store for globex's keys, and for those that the gateway keeps of
// its uploads, past any view.
func trespassByKeys(t *testing.T, store *s3.Store) {
	t.Helper()
	for _, q := range []string{"", "in/", "in/globex/", "in/acme", ".causeway/", ".causeway/uploads/", ".causeway/uploads/in/globex/", ".causeway/renames/"} {
		if page, err := store.List(t.Context(), backends.Query{Prefix: q}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("list %q: %+v, %v", q, page, err)
		}
	}
	for _, prefix := range []string{"", "in/globex/"} {
		if page, err := store.Parked(t.Context(), backends.ParkedQuery{Prefix: prefix}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("parked below %q: %+v, %v", prefix, page, err)
		}
	}
	for dst, src := range map[string]string{"in/acme/stolen": "in/globex/report", "in/globex/planted": "in/acme/report"} {
		if o, err := store.Copy(t.Context(), dst, src, backends.CopyOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("copy of %s to %s: %+v, %v", src, dst, o, err)
		}
	}
	for _, key := range []string{"in/globex/report", "in/acmeother", "top"} {
		if r, err := store.Open(t.Context(), key, backends.OpenOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("open %s: %+v, %v", key, r, err)
		}
		if err := store.Delete(t.Context(), key, backends.DeleteOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("delete %s: %v", key, err)
		}
		for _, size := range []int{4, 20 << 20} {
			if err := putInto(t.Context(), store, key, size); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%d octets to %s: %v", size, key, err)
			}
		}
	}
}

func putInto(ctx context.Context, store backends.Backend, key string, size int) error {
	u, err := store.Create(ctx, key, backends.CreateOptions{})
	if err != nil {
		return err
	}
	defer u.Abort()
	if _, err := io.Copy(u, bytes.NewReader(make([]byte, size))); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

// TestO8_AMountThatIsWrong is the same by the whole gateway: whoever wrote globex's prefix
// into acme's mount has not opened it.
func TestO8_AMountThatIsWrong(t *testing.T) {
	b, named := freshS3(t)
	key, secret := stores.S3Guest(1)
	b.allow(t, b.published(t, "full.json", key)...)
	filled(t, b)
	before := b.everything(t)
	g := start(t, setup{plain4: true, accounts: []account{{
		name: "acme", store: named, prefix: "in/globex/",
		more: fmt.Sprintf("    credentials: {store0: {access_key: %s, secret_key: %s}}\n", key, secret),
	}}})
	s := connect(t, g.address(false, false))
	s.login("acme")
	for _, command := range []string{"SIZE report", "MDTM report", "DELE report", "RNFR report", "MKD new", "RMD sub", "MFMT 20200101000000 report", "MLST report"} {
		s.do(command, "550")
	}
	for _, command := range []string{"RETR report", "STOR planted", "STOR report", "APPE report", "STOU", "MLSD", "LIST", "NLST sub"} {
		s.refused(command)
	}
	if after := b.everything(t); !slices.Equal(after, before) {
		t.Errorf("the bucket had %q, and has %q", before, after)
	}
}

// TestO8_EachAccountHasASessionOfItsOwn: two accounts of one bucket, by the whole gateway,
// do all that they may with a session of the role each, which is cut to their prefix.
func TestO8_EachAccountHasASessionOfItsOwn(t *testing.T) {
	b, named := freshS3(t)
	service := newSecurity(t, b)
	var accounts []account
	for _, name := range []string{"acme", "globex"} {
		accounts = append(accounts, account{name: name, store: named, prefix: "in/" + name + "/", more: fmt.Sprintf(
			"    credentials: {store0: {assume_role: {role_arn: %q, sts_endpoint: %q, external_id: ours, session_name: \"ftp-{user}\"}}}\n", roleARN, service.url)})
	}
	g := start(t, setup{plain4: true, accounts: accounts})
	big := bytes.Repeat([]byte("0123456789"), 2<<20)
	for _, name := range []string{"acme", "globex", "acme"} {
		s := connect(t, g.address(false, false))
		s.login(name)
		s.store("STOR dir/"+name, []byte("one"))
		s.store("APPE dir/"+name, []byte(" two"))
		s.do("RNFR dir", "350")
		s.do("RNTO moved", "250")
		if got := s.names("NLST moved"); !slices.Equal(got, []string{"moved/" + name}) {
			t.Errorf("%s sees %q", name, got)
		}
		s.do("DELE moved/"+name, "250")
		s.do("RMD moved", "250", "550")
		s.cut("STOR half", big[:12<<20])
		again := connect(t, g.address(false, false))
		again.login(name)
		kept := again.parkedSize("half")
		again.do(fmt.Sprintf("REST %d", kept), "350")
		again.store("STOR half", big[kept:])
		named.holds(t, "in/"+name+"/half", big)
		again.do("DELE half", "250")
	}
	service.mu.Lock()
	defer service.mu.Unlock()
	if len(service.sessions) != 2 {
		t.Fatalf("%d sessions for two accounts", len(service.sessions))
	}
	for i, want := range []string{"acme", "globex"} {
		asked := service.sessions[i]
		if asked.Get("RoleSessionName") != "ftp-"+want || asked.Get("ExternalId") != "ours" ||
			!strings.Contains(asked.Get("Policy"), "/in/"+want+"/*") || strings.Contains(asked.Get("Policy"), accounts[1-i].name) {
			t.Errorf("asked for %s by %v", want, asked)
		}
	}
	if said := g.complaints(); len(said) > 0 {
		t.Errorf("the log complains:\n%s", said)
	}
}
