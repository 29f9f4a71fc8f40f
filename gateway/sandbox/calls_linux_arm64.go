package sandbox

import (
	"math"

	"golang.org/x/sys/unix"
)

const (
	architecture = unix.AUDIT_ARCH_AARCH64
	// foreign: there are no numbers of another architecture.
	foreign = math.MaxUint32
)

// refusedHere are calls that other architectures do not have.
func refusedHere() []uint32 { return nil }
