package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Writes is how many system calls that write the process has made since it began
// (proc_pid_io(5), syscw).
func (p *Process) Writes() (int64, error) { return writesOf(p.PID()) }

func writesOf(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/io", pid)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "syscw: "); ok {
			return strconv.ParseInt(rest, 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no syscw", path)
}
