package migrate_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"causeway/gateway/migrate"
)

// TestRateIsOfAllFilesTogether: of 100 KiB a second a tenth may come at once, and no more.
func TestRateIsOfAllFilesTogether(t *testing.T) {
	const rate, files, size = 100 << 10, 8, 50 << 10
	for name, do := range map[string]func(*sides, migrate.Options){
		"copied": func(s *sides, o migrate.Options) { s.run(o) },
		"compared": func(s *sides, o migrate.Options) {
			unbound := o
			unbound.Rate = 0
			s.run(unbound)
			o.Verify = migrate.VerifyFull
			if _, err := migrate.Diff(s.Context(), o); err != nil {
				s.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSides(t)
				for i := range files {
					s.put(s.from, fmt.Sprintf("data/%d", i), strings.Repeat("x", size))
				}
				begun, o := time.Now(), s.options()
				o.Rate = rate
				do(s, o)
				want := time.Duration(files*size-rate/10) * time.Second / rate
				if took := time.Since(begun).Round(time.Millisecond); took != want {
					t.Errorf("it took %v, not %v", took, want)
				}
			})
		})
	}
}

// TestSoManyFilesAtATime are read: when no more begin, there are so many.
func TestSoManyFilesAtATime(t *testing.T) {
	for files, want := range map[int]int64{0: 8, 3: 3, 100: 20} {
		synctest.Test(t, func(t *testing.T) {
			s := newSides(t)
			for i := range 20 {
				s.put(s.from, fmt.Sprintf("data/%02d", i), "x")
			}
			var reading atomic.Int64
			goOn := make(chan struct{})
			o := s.options()
			o.Files = files
			o.From.Store = opened{s.from, func(string) {
				reading.Add(1)
				<-goOn
			}}
			done := make(chan error)
			go func() {
				_, err := migrate.Run(t.Context(), o)
				done <- err
			}()
			synctest.Wait()
			if got := reading.Load(); got != want {
				t.Errorf("%d of %d files are read at a time, not %d", got, files, want)
			}
			close(goOn)
			if err := <-done; err != nil || reading.Load() != 20 {
				t.Errorf("%d files, %v", reading.Load(), err)
			}
		})
	}
}
