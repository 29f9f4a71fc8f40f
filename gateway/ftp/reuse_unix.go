//go:build unix

package ftp

import "syscall"

// reuseAddress lets many data connections share the port before the control port.
func reuseAddress(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}); err != nil {
		return err
	}
	return failed
}
