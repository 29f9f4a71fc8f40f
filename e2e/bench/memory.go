package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Peak is the most resident memory since the start or the last ResetPeak, in octets, as
// the kernel keeps it (proc_pid_status(5), VmHWM).
func (p *Process) Peak() (int64, error) { return p.field("status", "VmHWM") }

// RSS is the resident memory now, in octets.
func (p *Process) RSS() (int64, error) { return p.field("status", "VmRSS") }

// PSS is the proportional set size now, in octets: what is shared counts in parts.
func (p *Process) PSS() (int64, error) { return p.field("smaps_rollup", "Pss") }

// ResetPeak makes Peak begin with what is resident now (proc_pid_clear_refs(5)).
func (p *Process) ResetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID()), []byte("5"), 0)
}

// field reads a line "Name:   123 kB" of a file of the kernel about the process.
func (p *Process) field(file, name string) (int64, error) {
	path := fmt.Sprintf("/proc/%d/%s", p.PID(), file)
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, name)
}

// held is how many octets the files in dir have that the process has open, with or without
// a name (proc_pid_fd(5)).
func (p *Process) held(dir string) (int64, error) {
	fds := fmt.Sprintf("/proc/%d/fd", p.PID())
	open, err := os.ReadDir(fds)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, fd := range open {
		name, err := os.Readlink(filepath.Join(fds, fd.Name()))
		if err == nil && strings.HasPrefix(name, dir+"/") {
			var info fs.FileInfo
			if info, err = os.Stat(filepath.Join(fds, fd.Name())); err == nil {
				sum += info.Size()
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // closed meanwhile
			return 0, err
		}
	}
	return sum, nil
}
