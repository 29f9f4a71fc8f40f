//go:build !pprof

package main

// profile takes none: see the program built with the tag pprof.
func profile() (stop func()) { return func() {} }
