package stores

import "syscall"

// dieWithParent has the kernel end a child whose parent was killed, so that an
// interrupted test run leaves no server behind.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
