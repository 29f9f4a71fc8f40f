package ftp

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestX5_HashBudget: what is read beyond the limit has to be made up for by waiting, and what
// one account spends is its own.
func TestX5_HashBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newHashBudget(1000)
		read := func(account string, octets int64) error {
			done, err := b.begin(t.Context(), account)
			if err == nil {
				done(octets)
			}
			return err
		}
		for _, c := range []struct {
			after  time.Duration
			octets int64
			want   error
		}{{0, 400, nil}, {0, 2600, nil}, {0, 1, errHashed}, {2*time.Hour - time.Second, 1, errHashed}, {2 * time.Second, 1, nil}, {24 * time.Hour, 1000, nil}, {0, 1, errHashed}} {
			time.Sleep(c.after)
			if err := read("u", c.octets); !errors.Is(err, c.want) {
				t.Errorf("%d octets after %v: %v, want %v", c.octets, c.after, err, c.want)
			}
		}
		if err := read("other", 1); err != nil {
			t.Errorf("another account: %v", err)
		}
	})
}

// TestX5_StormOfHashes: of the sessions of an account that ask for checksums one has a file
// read; the others wait, and ABOR ends a wait as it ends a read.
func TestX5_StormOfHashes(t *testing.T) {
	bubble(t, plainConfig, ListenOptions{}, func(t *testing.T, k *talker) {
		var reading atomic.Int64
		k.files.retrieve = func(ctx context.Context) error {
			reading.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}
		storm := []*talker{k}
		for range 9 {
			storm = append(storm, &talker{t: t, server: k.server, files: k.files, control: record(k.server.connect(t, clientAddr))})
		}
		for _, k := range storm {
			k.login()
			k.say("HASH readme.txt")
		}
		if n := reading.Load(); n != 1 {
			t.Errorf("%d are read at once", n)
		}
		for _, k := range storm[1:] {
			k.say("ABOR", "426", "226")
		}
		if n := reading.Load(); n != 1 {
			t.Errorf("%d were read that nobody waits for", n-1)
		}
		k.say("ABOR", "426", "226")
		k.files.retrieve = nil
		for _, k := range storm {
			k.say("HASH readme.txt", "213")
		}
		for _, k := range storm[1:] {
			k.control.Close()
		}
	})
}
