package oldservers

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// isolated gives a command its own process group, and its own view of the mounted file
// systems.
func isolated(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

func terminate(cmd *exec.Cmd) { endAll(cmd, syscall.SIGTERM) }

func kill(cmd *exec.Cmd) { endAll(cmd, syscall.SIGKILL) }

// endAll sends a signal to a command and all that descends from it: each session of vsftpd
// is a process group of its own. The command is held meanwhile, so that no session begins.
func endAll(cmd *exec.Cmd, signal syscall.Signal) {
	pid := cmd.Process.Pid
	_ = syscall.Kill(pid, syscall.SIGSTOP) // an error means that it has ended
	for _, member := range family(pid) {
		_ = syscall.Kill(member, signal) // the same
	}
	_ = syscall.Kill(pid, syscall.SIGCONT) // the same
}

// family is a process and its descendants.
func family(pid int) []int {
	members := []int{pid}
	for i := 0; i < len(members); i++ {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", members[i]))
		if err != nil {
			continue // it has ended
		}
		for word := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(word); err == nil {
				members = append(members, child)
			}
		}
	}
	return members
}
