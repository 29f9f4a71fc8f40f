package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// steps is how long a simulation is.
const steps = 500

// TestI1_I2_I3_I4_I5_I6_I7_R10_Simulator runs simulations from new seeds for its budget, or the one of SIM_SEED.
func TestI1_I2_I3_I4_I5_I6_I7_R10_Simulator(t *testing.T) {
	if text := os.Getenv("SIM_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SIM_SEED: %v", err)
		}
		simulate(t, seed, map[string]int{})
		return
	}
	more := budget(t)
	seed, seeds, commands, seen := uint64(time.Now().UnixNano()), 0, 0, map[string]int{}
	for began := time.Now(); more(commands, time.Since(began)) && !t.Failed(); seeds++ {
		commands += simulate(t, seed+uint64(seeds), seen)
	}
	fmt.Printf("simulator: %d commands of %d seeds from %d: %v\n", commands, seeds, seed, seen)
	if commands < 50_000 {
		return
	}
	for _, what := range landmarks() {
		if seen[what] == 0 {
			t.Errorf("not once was an upload or a file %s", what)
		}
	}
}

// budget tells whether there are to be more simulations after so many commands and so
// long a time.
func budget(t *testing.T) func(commands int, took time.Duration) bool {
	t.Helper()
	if text := os.Getenv("SIM_TIME"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SIM_TIME: %v", err)
		}
		return func(_ int, took time.Duration) bool { return took < d }
	}
	enough := defaultCommands
	if text := os.Getenv("SIM_COMMANDS"); text != "" {
		var err error
		if enough, err = strconv.Atoi(text); err != nil {
			t.Fatalf("SIM_COMMANDS: %v", err)
		}
	}
	return func(commands int, _ time.Duration) bool { return commands < enough }
}

// TestSeedsThatHaveFailed runs them again.
func TestSeedsThatHaveFailed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.seed")
	if err != nil || len(files) == 0 {
		t.Fatalf("no seeds in testdata: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		seed, err := strconv.ParseUint(name[:len(name)-len(".seed")], 10, 64)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		t.Run(name, func(t *testing.T) { simulate(t, seed, map[string]int{}) })
	}
}

// simulate runs one simulation and returns how many commands were sent in it. If it fails
// its seed is kept.
func simulate(t *testing.T, seed uint64, seen map[string]int) (commands int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(seed)
		w.run(steps)
		commands = w.commands
		for what, often := range w.seen {
			seen[what] += often
		}
		if len(w.failures) > 0 {
			t.Errorf("SIM_SEED=%d: %s", seed, w.report())
			keep(t, seed, w.failures[0])
		}
	})
	return commands
}

// keep writes a seed to testdata, with what it has found.
func keep(t *testing.T, seed uint64, found string) {
	t.Helper()
	name := filepath.Join("testdata", fmt.Sprintf("%d.seed", seed))
	if err := os.WriteFile(name, []byte(found+"\n"), 0o644); err != nil {
		t.Error(err)
	}
}
