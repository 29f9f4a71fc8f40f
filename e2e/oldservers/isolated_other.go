//go:build !linux

package oldservers

import "os/exec"

// isolated changes nothing: the servers run on Linux only.
func isolated(cmd *exec.Cmd) *exec.Cmd { return cmd }

func terminate(cmd *exec.Cmd) { kill(cmd) }

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // an error means that it has ended
