package multipart

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestPartsInFlightToAFarStore: an upload goes wider than four parts only where the sender
// waits for the line to the store, and half of the budget is free.
func TestPartsInFlightToAFarStore(t *testing.T) {
	const part = 64 * kib
	for name, c := range map[string]struct {
		most   int           // in flight, by the store's options
		store  time.Duration // for a part
		sender time.Duration // for as much
		others int64         // octets of the budget of 64 parts
		want   int
	}{
		"far store":            {8, 250 * time.Millisecond, 0, 0, 8},
		"quick store":          {8, 500 * time.Microsecond, 0, 0, 4},
		"slow sender":          {8, 250 * time.Millisecond, 300 * time.Millisecond, 0, 2},
		"quicker sender":       {8, 250 * time.Millisecond, 90 * time.Millisecond, 0, 4},
		"half is used":         {8, 250 * time.Millisecond, 0, 30 * part, 4},
		"three quarters":       {8, 250 * time.Millisecond, 0, 48 * part, 1},
		"store that takes few": {2, 250 * time.Millisecond, 0, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{onPart: func(context.Context, int) error {
					time.Sleep(c.store)
					return nil
				}}
				b := NewBudget(64*part, nil)
				others := &account{want: c.others}
				if !b.memory.try(others, c.others) {
					t.Fatal("no memory")
				}
				b.memory.seal(others)
				u := New(t.Context(), f, b, Options{PartSize: part, MaxPartSize: part, MaxParts: 100, InFlight: c.most})
				defer u.Abort()
				for range 40 {
					time.Sleep(c.sender)
					if _, err := u.Write(make([]byte, part)); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := u.Commit(); err != nil {
					t.Fatal(err)
				}
				if f.width != c.want {
					t.Errorf("%d parts in flight, want %d", f.width, c.want)
				}
				b.memory.close(others)
				wantReturned(t, b)
			})
		})
	}
}
