//go:build pprof

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// blockRate is the least time, in nanoseconds, that a goroutine waits to be counted each
// time; shorter waits are sampled.
const blockRate = 10_000

// profileFolders are where profiles are written at the end.
func profileFolders() []string { return []string{os.Getenv("CAUSEWAY_PPROF")} }

// profile takes profiles of this process until stop, and writes them to the folder that
// CAUSEWAY_PPROF names: CPU time, what was allocated, and where goroutines have waited, as
// PID.cpu, PID.allocs and PID.block for "go tool pprof". Only a program built with the tag
// pprof does so.
func profile() (stop func()) {
	dir := os.Getenv("CAUSEWAY_PPROF")
	if dir == "" {
		return func() {}
	}
	create := func(kind string) (*os.File, error) {
		return os.Create(filepath.Join(dir, fmt.Sprintf("%d.%s", os.Getpid(), kind)))
	}
	cpu, err := create("cpu")
	if err == nil {
		err = pprof.StartCPUProfile(cpu)
	}
	runtime.SetBlockProfileRate(blockRate)
	return func() {
		pprof.StopCPUProfile()
		for _, kind := range []string{"allocs", "block"} {
			f, failed := create(kind)
			if failed == nil {
				failed = cmp.Or(pprof.Lookup(kind).WriteTo(f, 0), f.Close())
			}
			err = cmp.Or(err, failed)
		}
		if err := cmp.Or(err, cpu.Close()); err != nil {
			fmt.Fprintln(os.Stderr, "causeway: profile:", err)
		}
	}
}
