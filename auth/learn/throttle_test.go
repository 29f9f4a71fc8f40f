package learn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"causeway/auth"
)

// enterAll logs in with each pair of a name and a password at once.
func (o *old) enterAll(t *testing.T, attempts ...[2]string) []error {
	t.Helper()
	errs := make([]error, len(attempts))
	var entering sync.WaitGroup
	for i, a := range attempts {
		entering.Go(func() { _, errs[i] = o.enter(t.Context(), a[0], a[1]) })
	}
	entering.Wait()
	return errs
}

// TestManyAtOnceWithOnePassword are one question: a device with many connections.
func TestManyAtOnceWithOnePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, Config{}, "cam1")
		o.cheap, o.takes = true, time.Second
		errs := o.enterAll(t, slices.Repeat([][2]string{{"cam1", canary}}, 5)...)
		if err := errors.Join(errs...); err != nil || len(o.tried) != 1 || len(o.added) != 1 {
			t.Errorf("%v, tried %q, added %d", err, o.tried, len(o.added))
		}
		errs = o.enterAll(t, slices.Repeat([][2]string{{"nobody", canary}}, 5)...)
		for _, err := range errs {
			if !errors.Is(err, auth.ErrLogin) {
				t.Error(err)
			}
		}
		if len(o.tried) != 2 {
			t.Errorf("tried %q", o.tried)
		}
	})
}

// TestManyAtOnceWithManyPasswords are asked one after the other, until there is a user, in
// whichever way the name is written.
func TestManyAtOnceWithManyPasswords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, Config{}, "cam1")
		o.cheap, o.takes = true, time.Second
		attempts := [][2]string{{"cam1", canary}}
		for i := range 4 {
			attempts = append(attempts, [2]string{"cam1", fmt.Sprint("guess ", i)}, [2]string{"CAM1", fmt.Sprint("guess ", i)})
		}
		attempts = append(attempts, [2]string{"CAM1", canary})
		errs := o.enterAll(t, attempts...)
		if o.most != 1 || len(o.added) != 1 {
			t.Errorf("%d at once, added %v", o.most, o.added)
		}
		for i, err := range errs {
			if right := attempts[i] == [2]string{o.added[0].Name, canary}; right != (err == nil) {
				t.Errorf("%q: %v", attempts[i], err)
			}
		}
		tried := len(o.tried)
		o.enterAll(t, attempts...)
		if len(o.tried) != tried {
			t.Errorf("tried %q after there was a user", o.tried[tried:])
		}
	})
}

// TestRightPasswordsWaitForTurnsAlone: all of them are learnt, a few at a time.
func TestRightPasswordsWaitForTurnsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names []string
		var attempts [][2]string
		for i := range 2*atOnce + 1 {
			names = append(names, fmt.Sprint("cam", i))
			attempts = append(attempts, [2]string{names[i], canary})
		}
		o := start(t, Config{Timeout: 5 * time.Second, Guesses: 1}, names...)
		o.cheap, o.takes = true, 4*time.Second // and the last ones wait for 8
		if err := errors.Join(o.enterAll(t, attempts...)...); err != nil || o.most != atOnce || len(o.added) != len(names) {
			t.Errorf("%v, %d at once, added %d", err, o.most, len(o.added))
		}
	})
}

// TestGuessingHereIsNotGuessingThere: what is refused there is counted, and once it is too
// much the old server is asked no more, not for the right password either, until time has
// passed.
func TestGuessingHereIsNotGuessingThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const guesses = 6
		o := start(t, Config{Guesses: guesses}, "cam1", "cam2")
		var unjudged int
		for i := range 100 {
			if _, err := o.enter(t.Context(), fmt.Sprint("guess", i), canary); errors.Is(err, ErrThrottled) && !errors.Is(err, auth.ErrLogin) {
				unjudged++
			} else if !errors.Is(err, auth.ErrLogin) {
				t.Error(err)
			}
		}
		if len(o.tried) != guesses || unjudged != 100-guesses {
			t.Errorf("%d guesses reached the old server, %d did not", len(o.tried), unjudged)
		}
		if _, err := o.enter(t.Context(), "cam1", canary); !errors.Is(err, ErrThrottled) {
			t.Errorf("throttled: %v", err)
		}
		time.Sleep(time.Minute / guesses)
		for _, name := range []string{"cam1", "cam2"} {
			if _, err := o.enter(t.Context(), name, canary); err != nil {
				t.Errorf("after a while: %v", err)
			}
		}
		time.Sleep(10 * time.Minute)
		for i := range 2 * guesses {
			_, _ = o.enter(t.Context(), fmt.Sprint("later", i), canary)
		}
		if want := 2*guesses + 2; len(o.tried) != want {
			t.Errorf("%d logins at the old server, not %d", len(o.tried), want)
		}
	})
}

// TestTimeout: an old server that hangs is one that cannot tell, and its time begins with its
// turn.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, Config{Timeout: 5 * time.Second}, "cam1")
		o.cheap, o.takes = true, time.Hour
		began := time.Now()
		errs := o.enterAll(t, [2]string{"cam1", canary}, [2]string{"cam1", canary})
		for _, err := range errs {
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, auth.ErrLogin) {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestClientThatIsGone: others who wait for its answer are not told that it is gone, and what
// it has proven is kept.
func TestClientThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := start(t, Config{}, "cam1")
		o.cheap, o.takes = true, time.Second
		ctx, leave := context.WithCancel(t.Context())
		var entering sync.WaitGroup
		entering.Go(func() {
			if _, err := o.enter(ctx, "cam1", canary); !errors.Is(err, context.Canceled) {
				t.Errorf("who is gone: %v", err)
			}
		})
		<-o.notified
		entering.Go(func() {
			if _, err := o.enter(t.Context(), "cam1", canary); err != nil {
				t.Errorf("who waited: %v", err)
			}
		})
		entering.Go(func() {
			gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if _, err := o.enter(gone, "cam1", "other"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("who did not want to wait: %v", err)
			}
		})
		synctest.Wait()
		time.Sleep(2 * time.Millisecond)
		leave()
		entering.Wait()
		if len(o.added) != 1 {
			t.Errorf("added %v", o.added)
		}
	})
}

// TestProvenPasswordIsKept: a client that goes while its account is written has one.
func TestProvenPasswordIsKept(t *testing.T) {
	o := start(t, Config{}, "cam1")
	ctx, leave := context.WithCancel(t.Context())
	try := o.config.Try
	o.config.Try = func(ctx context.Context, name, password string) error {
		defer leave()
		return try(ctx, name, password)
	}
	_, _ = o.enter(ctx, "cam1", canary)
	if len(o.added) != 1 {
		t.Errorf("added %v", o.added)
	}
}
