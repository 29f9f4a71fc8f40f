package metered_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
	"causeway/backends/metered"
)

// verbs is a store that has nothing but what each must have.
type verbs struct{ backends.Backend }

// Create begins uploads that cannot be parked.
func (v verbs) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Resume != "" {
		return nil, &backends.Error{Op: "create", Key: key, Kind: errors.ErrUnsupported}
	}
	u, err := v.Backend.Create(ctx, key, o)
	return unparkable{u}, err
}

type unparkable struct{ backends.Upload }

func (u unparkable) Park() (int64, error) {
	return 0, errors.Join(&backends.Error{Op: "park", Kind: errors.ErrUnsupported}, u.Abort())
}

func silent(metered.Operation, time.Duration, error) {}

func TestConformance(t *testing.T) {
	decorate := func(b backends.Backend) backends.Backend { return metered.New(b, silent, func() {}) }
	t.Run("mem", func(t *testing.T) {
		var store *mem.Store // of the case that is running
		backendtest.Run(t, func(*testing.T) backends.Backend {
			store = mem.New(mem.Options{})
			return decorate(store)
		}, backendtest.Features{
			Leftovers:    func(context.Context, backends.Backend) ([]string, error) { return store.Uploads(), nil },
			CutsAnywhere: true, ObjectCuts: true, Crash: true,
			Reopen: func(*testing.T, backends.Backend) backends.Backend { return decorate(store.Reopen()) },
		})
	})
	t.Run("verbs alone", func(t *testing.T) {
		backendtest.Run(t, func(*testing.T) backends.Backend { return decorate(verbs{mem.New(mem.Options{})}) },
			backendtest.Features{NoParking: true, ObjectCuts: true})
	})
}

// slow is a store that takes a second and two requests to tell what it has.
type slow struct{ backends.Backend }

func (s slow) Stat(ctx context.Context, key string, o backends.StatOptions) (backends.Object, error) {
	time.Sleep(time.Second)
	backends.Retried(ctx)
	return s.Backend.Stat(ctx, key, o)
}

// TestEachCallIsReportedOnce, with its time and kind of error, and nothing is reported that
// the store does not have.
func TestEachCallIsReportedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		b := metered.New(slow{verbs{mem.New(mem.Options{})}}, func(op metered.Operation, took time.Duration, err error) {
			told = append(told, fmt.Sprint(op, " ", took, " ", metered.Kind(err)))
		}, func() { told = append(told, "again") })
		ctx := t.Context()
		u, err := b.Create(ctx, "a", backends.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Commit(); err != nil {
			t.Fatal(err)
		}
		_ = u.Abort() // it has ended
		_, _ = b.Stat(ctx, "a", backends.StatOptions{})
		_, _ = b.Stat(ctx, "none", backends.StatOptions{})
		_, _ = b.Open(ctx, "a", backends.OpenOptions{Offset: 5})
		_, _ = b.Create(ctx, "a", backends.CreateOptions{Resume: "none"})
		_, _ = backends.Copy(ctx, b, "b", "a", backends.CopyOptions{})
		_, _ = b.Space(ctx)
		_, _, _ = b.Sum(ctx, "a", []backends.Sum{backends.MD5})
		_, _ = b.Sweep(ctx, time.Now())
		_ = b.Delete(ctx, "a", backends.DeleteOptions{IfMatch: "other"})
		want := "create 0s ok|commit 0s ok|again|stat 1s ok|again|stat 1s not_exist|open 0s range|resume 0s unsupported|" +
			"open 0s ok|create 0s ok|commit 0s ok|delete 0s changed"
		if got := strings.Join(told, "|"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestKind(t *testing.T) {
	for want, err := range map[string]error{
		"ok":          nil,
		"not_exist":   &backends.Error{Kind: fs.ErrNotExist},
		"permission":  fmt.Errorf("%w: %w", fs.ErrNotExist, fs.ErrPermission),
		"unavailable": &backends.Error{Kind: backends.ErrUnavailable, Err: context.DeadlineExceeded},
		"cancelled":   &backends.Error{Kind: backends.ErrUnavailable, Err: context.Canceled},
		"other":       errors.New("bucket s3://hidden"),
	} {
		if got := metered.Kind(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}
