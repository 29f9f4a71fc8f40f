package multipart

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestLoansAreAQuarter: no more than that is lent, and none while parts use more than
// half, so that the largest part always fits beside loans.
func TestLoansAreAQuarter(t *testing.T) {
	b := NewBudget(mib, nil)
	loans := borrow(b)
	if len(loans) != 4 {
		t.Errorf("%d of 16 chunks were lent", len(loans))
	}
	repay(b, loans)

	busy := newBody(b, b.largest(), Options{})
	other := newBody(b, b.largest(), Options{})
	third := newBody(b, b.largest(), Options{})
	for _, part := range []*Body{busy, other} {
		if err := part.write(t.Context(), pattern(int(part.limit))); err != nil {
			t.Fatal(err)
		}
		defer part.close()
	}
	loans = borrow(b)
	if len(loans) != 4 {
		t.Errorf("%d chunks were lent while half is in use", len(loans))
	}
	repay(b, loans)
	if err := third.write(t.Context(), pattern(1)); err != nil {
		t.Fatal(err)
	}
	if loans = borrow(b); len(loans) != 3 {
		t.Errorf("%d chunks were lent beside 9 of 16", len(loans))
	}
	third.close()
	repay(b, loans)
}

// TestNothingIsLentWhileUploadsWait: who waits for memory comes before those who would
// only be quicker with it.
func TestNothingIsLentWhileUploadsWait(t *testing.T) {
	l := &ledger{capacity: 16}
	l.ask(&account{want: 4}, 2)
	l.waiting.PushBack(&account{want: 4, asks: 4})
	if l.lend(1) {
		t.Error("lent while a part waits")
	}
}

// TestS51_LoansStarveNobody: uploads end though a quarter of the budget is never paid back
// before they have, and a borrower takes whatever else is lent. In synctest's bubble a
// deadlock is seen at once.
func TestS51_LoansStarveNobody(t *testing.T) {
	for _, c := range []struct {
		budget, part, size int64
		uploads            int
	}{
		{budget: 8 * mib, part: 2 * mib, size: 5 * mib, uploads: 40},
		{budget: 2 * mib, part: 512 * kib, size: 1280 * kib, uploads: 100},
		{budget: 256 * kib, part: 64 * kib, size: 200 * kib, uploads: 100},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := NewBudget(c.budget, nil)
			ctx, cancel := context.WithCancel(t.Context())
			loans := borrow(b)
			if len(loans) == 0 {
				t.Fatal("nothing was lent while nothing is used")
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				borrower(ctx, b)
			}()
			crowdOf(t, b, Options{PartSize: c.part, MaxPartSize: c.part, MaxParts: 1000}, c.uploads, c.size)
			cancel()
			<-ended
			repay(b, loans)
			wantReturned(t, b)
		})
	}
}

// borrower borrows all it gets again and again, and gives it back late, until ctx ends.
func borrower(ctx context.Context, b *Budget) {
	order := rand.New(rand.NewPCG(1, 2))
	var loans [][]byte
	for {
		loans = append(loans, borrow(b)...)
		select {
		case <-ctx.Done():
			repay(b, loans)
			return
		case <-time.After(time.Duration(1+order.IntN(20)) * time.Millisecond):
		}
		if len(loans) > 0 && order.IntN(4) == 0 {
			b.Return(loans[0])
			loans = loans[1:]
		}
	}
}

// borrow takes all that is lent.
func borrow(b *Budget) [][]byte {
	var loans [][]byte
	for p := b.Lend(); p != nil; p = b.Lend() {
		loans = append(loans, p)
	}
	return loans
}

func repay(b *Budget, loans [][]byte) {
	for _, p := range loans {
		b.Return(p)
	}
}
