package multipart

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
)

// TestFlush: a last part that others can follow is sent before it is known how the upload
// ends; nothing else is, and nothing is sent twice.
func TestFlush(t *testing.T) {
	for _, c := range []struct {
		size, parts int
		calls       string
	}{
		{100 * kib, 0, "put"}, {150 * kib, 1, "start complete"}, {200 * kib, 2, "start complete"}, {250 * kib, 2, "start complete"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{}
			u := begin(t, t.Context(), f, NewBudget(4*mib, nil), small(), c.size)
			if err := errors.Join(u.Flush(), u.Flush()); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if len(f.parts) != c.parts {
				t.Errorf("%d octets: %d parts are sent, want %d", c.size, len(f.parts), c.parts)
			}
			if _, err := u.Commit(); err != nil || !bytes.Equal(f.object, pattern(c.size)) || f.asked() != c.calls {
				t.Errorf("%d octets: %v, asked for %q", c.size, err, f.asked())
			}
			wantReturned(t, u.budget)
		})
	}
	f := &fake{}
	u := begin(t, t.Context(), f, NewBudget(4*mib, nil), small(), 200*kib)
	if err := u.Flush(); err != nil {
		t.Error(err)
	}
	if n, err := u.Park(); n != 200*kib || err != nil || !bytes.Equal(f.parked, pattern(200*kib)) {
		t.Errorf("parked %d octets, %v", n, err)
	}
	wantReturned(t, u.budget)
}
