package process

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel end a child whose parent was killed, so that an
// interrupted test run leaves no server behind.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
