//go:build e2e

package sim

// defaultCommands are many where everything is to be proven.
const defaultCommands = 100_000
