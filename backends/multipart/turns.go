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

// Turns bounds how many bodies are sent to one store at a time. Each store has its own, so
// that one that does not answer keeps no other waiting. It is safe for concurrent use.
type Turns struct{ taken chan struct{} }

// NewTurns makes the Turns of a store.
func NewTurns() *Turns { return &Turns{taken: make(chan struct{}, sending)} }

// in calls send, which sends body, when it is its turn. If ctx ends before, send is not
// called and the error is what ended ctx.
func (t *Turns) in(ctx context.Context, body *Body, send func() error) error {
	if body.Size() <= smallBody {
		return send()
	}
	select {
	case t.taken <- struct{}{}:
		defer func() { <-t.taken }()
		return send()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
