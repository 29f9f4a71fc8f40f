//go:build !e2e

package sim

// defaultCommands are few where the tests are to be quick.
const defaultCommands = 3_000
