//go:build !linux || race

package multipart

// mapped is n octets of Go's heap. Outside of it the race detector sees nothing, and
// systems do not agree on how pages are given back.
func mapped(n int) ([]byte, error) { return make([]byte, n), nil }

// unmap leaves it to the garbage collector.
func unmap([]byte) {}

// discard keeps the memory, which stays within the budget.
func discard([]byte) {}
