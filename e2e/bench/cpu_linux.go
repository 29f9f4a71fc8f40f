package main

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the user and system time of the process so far, to the nanosecond: the clock that
// clock_getcpuclockid(3) names, of threads that have ended as well.
func (p *Process) CPU() (time.Duration, error) { return cpuOf(p.PID()) }

// cpuOf is the CPU time of a process; 0 is this one.
func cpuOf(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|scheduled, &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// dieWithParent has the kernel end a child whose parent was killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
