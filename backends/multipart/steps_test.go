package multipart

import (
	"context"
	"errors"
	"io/fs"
	"testing"
)

// TestSteps: what is lost by a kill is less than a part, however many could be on their way.
func TestSteps(t *testing.T) {
	f := &fake{}
	o := small()
	o.Steps = true
	u := begin(t, t.Context(), f, NewBudget(4*mib, nil), o, 301*kib)
	if len(f.parts) != 3 || f.width != 1 {
		t.Errorf("%d parts are stored, %d at a time", len(f.parts), f.width)
	}
	if obj, err := u.Commit(); err != nil || obj.Size != 301*kib {
		t.Errorf("%+v, %v", obj, err)
	}
	wantReturned(t, u.budget)
}

// TestStepsThatFail: Write tells it, and waits for nothing.
func TestStepsThatFail(t *testing.T) {
	f := &fake{onPart: func(context.Context, int) error { return fs.ErrPermission }}
	o := small()
	o.Steps = true
	u := New(t.Context(), f, NewBudget(4*mib, nil), o)
	if n, err := u.Write(pattern(300 * kib)); n != 100*kib || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("took %d octets, %v", n, err)
	}
	if err := u.Abort(); err != nil {
		t.Error(err)
	}
	wantReturned(t, u.budget)
}
