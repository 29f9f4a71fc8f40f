//go:build !linux

package gateway

import "net"

// linkOf knows nothing.
func linkOf(net.Conn) (linkState, bool) { return linkState{}, false }
