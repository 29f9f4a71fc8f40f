package accounts

import (
	"os"
	"os/exec"
	"syscall"
)

// nobody is Debian's user and group for what owns nothing.
const nobody = 65534

// unprivileged makes a command of root's run as nobody.
func unprivileged(cmd *exec.Cmd) *exec.Cmd {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}

// give makes a file or folder that of who runs unprivileged commands.
func give(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(path, nobody, nobody)
}
