// Package sandbox takes from the running process what it does not need, so that whoever
// gets hold of it gets little: on Linux all files but those that it names (Landlock), and
// the system calls that start programs, look into other processes or change the machine
// (seccomp). It needs no privileges and cannot be undone. It decides nothing: what is
// needed is said by who calls it, and it does not limit the network.
//
// Its central type is [Files].
package sandbox

// Files are those that stay open to the process, by path. A path that leads nowhere when
// the sandbox closes stays closed; files within a folder count whenever they are made, and
// links count where they lead. What the process has opened before stays open to it.
type Files struct {
	Read   []string // files, and folders with all that is in them
	Append []string // folders in which files are made and written
	Keep   []string // folders in which files and folders are read, made, changed and removed
}

// State is what is in force.
type State struct {
	Files string // how files are limited, such as "landlock 7"; "" if they are not
	Calls string // how system calls are limited, "seccomp"; "" if they are not
	Err   error  // why something is missing; nil if nothing is
}
