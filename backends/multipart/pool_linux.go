//go:build linux && !race

package multipart

import "syscall"

// mapped is n octets of memory outside of Go's heap. They take no memory before they are
// written to.
func mapped(n int) ([]byte, error) {
	return syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

// unmap ends mapped.
func unmap(slab []byte) {
	_ = syscall.Munmap(slab) // fails for what is no mapping only
}

// discard gives whole pages of what mapped returned back to the system until they are
// written to again. Their content is lost.
func discard(p []byte) {
	_ = syscall.Madvise(p, syscall.MADV_DONTNEED) // they stay in memory then
}
