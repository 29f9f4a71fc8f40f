//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

// CPU has no equivalent outside Linux: the benchmarks run there alone.
func (p *Process) CPU() (time.Duration, error) { return cpuOf(p.PID()) }

func cpuOf(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

func dieWithParent() *syscall.SysProcAttr { return nil }
