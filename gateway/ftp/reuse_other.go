//go:build !unix

package ftp

import "syscall"

// reuseAddress does nothing: elsewhere the option would let others take the port over.
func reuseAddress(string, string, syscall.RawConn) error { return nil }
