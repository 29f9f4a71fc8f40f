package quota_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/mem"
	"causeway/gateway/quota"
)

// limited is a bucket of which the keys below in/ are limited.
func limited(t *testing.T, limit quota.Limit) (*quota.Ledger, quota.Backend, *mem.Store) {
	t.Helper()
	store := mem.New(mem.Options{})
	l := newLedger(t, store, quota.Options{})
	l.Limit("in/", limit)
	return l, l.Backend(store), store
}

func wantUsed(t *testing.T, l *quota.Ledger, octets, files int64) {
	t.Helper()
	if got := used(t, l, "in/"); got != (quota.Amount{Bytes: octets, Files: files}) {
		t.Errorf("%d bytes and %d files are used, want %d and %d", got.Bytes, got.Files, octets, files)
	}
}

func wantFull(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, backends.ErrQuota) {
		t.Errorf("error %v, want ErrQuota", err)
	}
}

// TestX10_S45_ParallelUploads: a hundred uploads at a time to room for ten, through several
// decorators of one bucket, store ten.
func TestX10_S45_ParallelUploads(t *testing.T) {
	l, b, bucket := limited(t, quota.Limit{Bytes: 1000})
	other := l.Backend(bucket)
	var stored atomic.Int64
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			to := b
			if i%2 == 0 {
				to = other
			}
			err := store(t.Context(), to, fmt.Sprintf("in/%d", i), 100)
			if err == nil {
				stored.Add(1)
			} else if !errors.Is(err, backends.ErrQuota) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	is := sum(t, bucket, "in/")
	if is.Bytes > 1000 || is.Files != stored.Load() || stored.Load() == 0 {
		t.Errorf("%v are stored, of which %d were acknowledged", is, stored.Load())
	}
	wantUsed(t, l, is.Bytes, is.Files)
	for i := range 10 { // those that were in each other's way would fit one after another
		_ = store(t.Context(), b, fmt.Sprintf("in/again%d", i), 100)
	}
	wantUsed(t, l, 1000, 10)
}

// TestX10_TheOctetThatCrosses: what fits to the last octet is stored, and one more is not.
func TestX10_TheOctetThatCrosses(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 10, Files: 2})
	write(t, b, "in/a", 4)
	u, err := b.Create(t.Context(), "in/b", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		if _, err := u.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	_, err = u.Write([]byte("x"))
	wantFull(t, err)
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 4, 1)
	write(t, b, "in/b", 6)
	wantFull(t, store(t.Context(), b, "in/c", 0))
	write(t, b, "beside", 1000)
	wantUsed(t, l, 10, 2)
}

// TestX10_OverwritingCountsTheDifference, by an upload, an append, a rename and a copy.
func TestX10_OverwritingCountsTheDifference(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 10, Files: 2})
	write(t, b, "in/a", 6)
	write(t, b, "in/a", 10)
	write(t, b, "in/a", 7)
	wantUsed(t, l, 7, 1)
	obj, err := b.Stat(t.Context(), "in/a", backends.StatOptions{})
	if err != nil {
		t.Fatal(err)
	}
	appended := func(n int) error {
		u, err := b.Create(t.Context(), "in/a", backends.CreateOptions{At: obj.Size, IfMatch: obj.ETag})
		if err != nil {
			return err
		}
		defer u.Abort()
		if _, err := u.Write(make([]byte, n)); err != nil {
			return err
		}
		_, err = u.Commit()
		return err
	}
	wantFull(t, appended(4))
	if err := appended(2); err != nil {
		t.Error(err)
	}
	write(t, b, "in/b", 1)
	wantUsed(t, l, 10, 2)
	if _, _, err := backends.Move(t.Context(), b, "in/b", "in/a", backends.CopyOptions{}); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 9, 1)
	write(t, b, "out", 11)
	_, _, err = backends.Move(t.Context(), b, "in/b", "out", backends.CopyOptions{})
	wantFull(t, err)
	_, err = backends.Copy(t.Context(), b, "in/b", "out", backends.CopyOptions{})
	wantFull(t, err)
	if _, _, err := backends.Move(t.Context(), b, "gone", "in/b", backends.CopyOptions{}); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 0, 0)
}

// TestX10_Parking: what is parked counts; who begins again has not to fit beside it; what
// does not fit beside what it would replace is not kept.
func TestX10_Parking(t *testing.T) {
	l, b, bucket := limited(t, quota.Limit{Bytes: 10})
	park := func(n int) int64 {
		u, err := b.Create(t.Context(), "in/a", backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		kept, err := u.Park()
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	if n := park(6); n != 6 {
		t.Errorf("%d octets are kept", n)
	}
	wantUsed(t, l, 6, 1)
	wantFull(t, store(t.Context(), b, "in/b", 5))
	if n := park(9); n != 0 {
		t.Errorf("%d octets are kept beside 6, of 10", n)
	}
	write(t, b, "in/a", 8) // as one who sends it again from its beginning
	for p := range backends.ParkedUploads(t.Context(), b, backends.ParkedQuery{Prefix: "in/a"}) {
		if err := errors.Join(b.Discard(t.Context(), p), b.Discard(t.Context(), p)); err != nil {
			t.Error(err)
		}
	}
	wantUsed(t, l, 8, 1)
	if n := park(2); n != 2 || len(bucket.Uploads()) != 1 {
		t.Errorf("%d octets are kept, %v are parked", n, bucket.Uploads())
	}
	var id string
	for p := range backends.ParkedUploads(t.Context(), b, backends.ParkedQuery{Prefix: "in/a"}) {
		id = p.ID
	}
	u, err := b.Create(t.Context(), "in/a", backends.CreateOptions{Resume: id, At: 2})
	if err != nil {
		t.Fatal(err)
	}
	wantUsed(t, l, 10, 2)
	if _, err := u.Write(make([]byte, 7)); err != nil {
		t.Error(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 9, 1)
}

// TestX2_AnnouncedSizes: what is announced and does not fit is refused before any octet, also
// if the number is absurd, and is not held.
func TestX2_AnnouncedSizes(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 10})
	for _, size := range []int64{11, math.MaxInt64} {
		_, err := b.Create(t.Context(), "in/a", backends.CreateOptions{Size: size})
		wantFull(t, err)
	}
	write(t, b, "in/a", 9)
	for _, size := range []int64{10, 1} {
		u, err := b.Create(t.Context(), "in/a", backends.CreateOptions{Size: size})
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Abort(); err != nil {
			t.Error(err)
		}
	}
	_, err := b.Create(t.Context(), "in/b", backends.CreateOptions{Size: 2})
	wantFull(t, err)
	wantUsed(t, l, 9, 1)
	l.Limit("in/", quota.Limit{Bytes: math.MaxInt64})
	_, err = b.Create(t.Context(), "in/b", backends.CreateOptions{Size: math.MaxInt64})
	wantFull(t, err)
}

// TestUsage: an account is told of the trees that it is in and that do not reach beyond its
// own mount, the innermost first.
func TestUsage(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 10})
	l.Limit("", quota.Limit{Files: 2})
	l.Limit("in/deep/", quota.Limit{Bytes: 5, Files: 1})
	write(t, b, "in/deep/a", 3)
	write(t, b, "in", 100)
	wantFull(t, store(t.Context(), b, "in/deep/b", 1))
	wantFull(t, store(t.Context(), b, "in/b", 1)) // the whole bucket has two files
	all, err := l.Usage(t.Context(), "in/deep/er/", "in/")
	if err != nil || fmt.Sprint(all) != "[{in/deep/ {3 1} {5 1}} {in/ {3 1} {10 0}}]" {
		t.Errorf("%v, %v", all, err)
	}
	if all[0].Left() != 0 || all[1].Left() != 7 {
		t.Errorf("%d and %d octets are left", all[0].Left(), all[1].Left())
	}
	if all, err := l.Usage(t.Context(), "out/", "out/"); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestMarkersAndReservedKeysAreNoFiles.
func TestMarkersAndReservedKeysAreNoFiles(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 10, Files: 1})
	write(t, b, "in/", 0)
	write(t, b, "in/dir/", 0)
	write(t, b, "in/.causeway/renames/x", 100)
	write(t, b, "in/a", 1)
	if err := l.Recount(t.Context(), "in/"); err != nil {
		t.Error(err)
	}
	wantUsed(t, l, 1, 1)
}

// silentStore does not tell what is there.
type silentStore struct{ backends.Backend }

func (silentStore) List(ctx context.Context, _ backends.Query) (backends.Page, error) {
	return backends.Page{}, &backends.Error{Op: "list", Kind: fs.ErrPermission}
}

// TestUncounted: nothing is stored in a tree that has not been counted, which is tried again;
// what was there before is found then, and so is, later on, what others have done.
func TestUncounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bucket := mem.New(mem.Options{})
		l := newLedger(t, silentStore{bucket}, quota.Options{})
		l.Limit("in/", quota.Limit{Bytes: 10})
		began := time.Now()
		err := store(t.Context(), l.Backend(bucket), "in/a", 1)
		if !errors.Is(err, backends.ErrUnavailable) || time.Since(began) != 20*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		bucket := mem.New(mem.Options{})
		write(t, bucket, "in/a", 9)
		l := newLedger(t, bucket, quota.Options{})
		l.Limit("in/", quota.Limit{Bytes: 10})
		wantFull(t, store(t.Context(), l.Backend(bucket), "in/b", 2))
		write(t, bucket, "in/a", 3)
		wantFull(t, store(t.Context(), l.Backend(bucket), "in/b", 2))
		time.Sleep(70 * time.Minute) // no clock but the bubble's
		write(t, l.Backend(bucket), "in/b", 2)
		wantUsed(t, l, 5, 2)
	})
}

// TestS45_QuotaThatIsTakenAway bounds nothing and is told to nobody; taken up again it counts
// what has come meanwhile.
func TestS45_QuotaThatIsTakenAway(t *testing.T) {
	l, b, _ := limited(t, quota.Limit{Bytes: 100})
	wantFull(t, store(t.Context(), b, "in/a", 101))
	l.Replace(nil)
	if err := store(t.Context(), b, "in/a", 101); err != nil {
		t.Error(err)
	}
	if told, err := l.Usage(t.Context(), "in/", ""); err != nil || len(told) != 0 {
		t.Errorf("told %v, %v", told, err)
	}
	l.Replace(map[string]quota.Limit{"in/": {Bytes: 200}})
	wantUsed(t, l, 101, 1)
	wantFull(t, store(t.Context(), b, "in/b", 100))
}
