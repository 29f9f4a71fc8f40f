//go:build linux && !amd64 && !arm64

package sandbox

import "errors"

// limitCalls knows the numbers of no other architecture.
func limitCalls() error { return errors.ErrUnsupported }
