//go:build !pprof

package main

// profileFolders are none.
func profileFolders() []string { return nil }

// profile takes none: see the program built with the tag pprof.
func profile() (stop func()) { return func() {} }
