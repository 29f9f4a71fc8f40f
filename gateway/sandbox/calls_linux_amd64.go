package sandbox

import "golang.org/x/sys/unix"

const (
	architecture = unix.AUDIT_ARCH_X86_64
	// foreign is where the numbers of the x32 architecture begin, on the same kernel.
	foreign = 0x40000000
)

// refusedHere are calls that other architectures do not have.
func refusedHere() []uint32 {
	return []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_MKNOD, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT}
}
