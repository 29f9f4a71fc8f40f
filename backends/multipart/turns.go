package multipart

import "context"

const (
	// sending is how many bodies are sent to a store at a time. The uploads of a thousand
	// devices of one kind fill their parts in the same second: sent all at once, each takes a
	// connection with its buffers, deep stacks, and a share of the line, until even small
	// requests are not answered in time. So many fill any line.
	sending = 64
	// smallBody is the most octets of a body that does not wait: it is sent as soon as a
	// request without one.
	smallBody = 16 << 10
)

// Turns bounds how many bodies are sent to one store at a time, and beside them how many
// uploads begin or end: a cloud's SDK takes 100 KiB and a deep stack for such a request.
// Each store has its own, so that one that does not answer keeps no other waiting. It is
// safe for concurrent use.
type Turns struct{ bodies, ends chan struct{} }

// NewTurns makes the Turns of a store.
func NewTurns() *Turns {
	return &Turns{bodies: make(chan struct{}, sending), ends: make(chan struct{}, sending)}
}

// send calls do, which sends body, when it is its turn. If ctx ends before, do is not called
// and the error is what ended ctx.
func (t *Turns) send(ctx context.Context, body *Body, do func() error) error {
	if body.Size() <= smallBody {
		return do()
	}
	return inTurn(ctx, t.bodies, do)
}

// end is send for what begins or ends an upload in parts.
func (t *Turns) end(ctx context.Context, do func() error) error { return inTurn(ctx, t.ends, do) }

func inTurn(ctx context.Context, taken chan struct{}, do func() error) error {
	select {
	case taken <- struct{}{}:
		defer func() { <-taken }()
		return do()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
