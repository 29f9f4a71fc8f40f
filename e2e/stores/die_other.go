//go:build !linux

package stores

import "syscall"

// dieWithParent has no equivalent outside Linux.
func dieWithParent() *syscall.SysProcAttr { return nil }
