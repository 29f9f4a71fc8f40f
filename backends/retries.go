package backends

import "context"

// retriesKey is the key of what WithRetries puts into a context.
type retriesKey struct{}

// WithRetries returns a context for calls of a store in which told is called for each request
// that is made again. It is called from many goroutines and must not wait.
func WithRetries(ctx context.Context, told func()) context.Context {
	return context.WithValue(ctx, retriesKey{}, told)
}

// Retried tells who wants to know, by [WithRetries], that a request is made again. Stores
// call it.
func Retried(ctx context.Context) {
	if told, ok := ctx.Value(retriesKey{}).(func()); ok {
		told()
	}
}
