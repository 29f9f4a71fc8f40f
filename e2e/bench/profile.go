package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// profile has perf(1) sample the process while work runs, into a file of its own. Go keeps
// frame pointers, and the kernel's share shows as well; the gateway needs no hook for it.
func (p *Process) profile(dir string, work func() error) error {
	p.profiles++
	name := filepath.Join(dir, fmt.Sprintf("%s-%d-%02d.perf", p.Name, p.PID(), p.profiles))
	orders, order, err := os.Pipe()
	if err != nil {
		return err
	}
	answer, answers, err := os.Pipe()
	if err != nil {
		return err
	}
	perf := exec.Command("perf", "record", "-q", "-F", "999", "-g", "-o", name, "-p", strconv.Itoa(p.PID()), "--control", "fd:3,4")
	perf.ExtraFiles = []*os.File{orders, answers}
	perf.SysProcAttr = dieWithParent()
	if err := perf.Start(); err != nil {
		return err
	}
	_ = orders.Close() // the child has its own
	_ = answers.Close()
	tell := func(word string) error {
		if _, err := fmt.Fprintln(order, word); err != nil {
			return err
		}
		_, err := bufio.NewReader(answer).ReadString('\n')
		return err
	}
	if err := tell("ping"); err != nil { // answered once it samples
		return fmt.Errorf("perf: %w", err)
	}
	if err := work(); err != nil {
		return err
	}
	if err := tell("stop"); err != nil {
		return fmt.Errorf("perf: %w", err)
	}
	return perf.Wait()
}
