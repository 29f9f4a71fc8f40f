package quota

import "context"

// Recount counts a tree now. It fails while Run does so.
func (l *Ledger) Recount(ctx context.Context, prefix string) error {
	l.mu.Lock()
	t := l.trees[prefix]
	l.mu.Unlock()
	return l.countTree(ctx, t)
}

// Held is what is held for uploads on their way, and Claims how many keys are claimed: both
// are nothing when nothing goes on.
func (l *Ledger) Held(prefix string) (Amount, int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trees[prefix].held, len(l.claims.keys) + len(l.claims.dirs)
}
