//go:build !linux

package sandbox

import "errors"

// Enforce can do nothing on this system.
func Enforce(Files) State { return State{Err: errors.ErrUnsupported} }
