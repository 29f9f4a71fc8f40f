package sandbox

import (
	"errors"
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Rights of landlock(7). None of the sets has the right to execute.
const (
	readFile   = ll.AccessFSReadFile
	readFolder = readFile | ll.AccessFSReadDir
	// appendFolder has no right to remove: what was written stays.
	appendFolder = ll.AccessFSMakeReg | ll.AccessFSWriteFile | ll.AccessFSTruncate
	keepFile     = readFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	// keepFolder has links and renames from one folder to another (refer), and no devices,
	// sockets, pipes or symbolic links.
	keepFolder = readFolder | appendFolder | ll.AccessFSMakeDir | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir | ll.AccessFSRefer
)

// leastABI is the first that lets files be moved between folders. With less all that could
// be in force were rules without that, which the library answers by no rule at all.
const leastABI = 2

var errNoLandlock = errors.New("the kernel has no Landlock, or one that cannot move files between folders (before Linux 5.19)")

// Enforce closes the sandbox around all threads of the process, for good. What the kernel
// lacks is left out, and [State] says so.
func Enforce(f Files) State {
	var s State
	abi, err := ll.LandlockGetABIVersion()
	switch {
	case err != nil || abi < leastABI:
		s.Err = errNoLandlock
	default:
		if err := limitFiles(f); err != nil {
			s.Err = fmt.Errorf("landlock: %w", err)
		} else {
			s.Files = fmt.Sprintf("landlock %d", abi)
		}
	}
	if err := limitCalls(); err != nil {
		s.Err = errors.Join(s.Err, fmt.Errorf("seccomp: %w", err))
	} else {
		s.Calls = "seccomp"
	}
	return s
}

// limitFiles leaves network and signals alone. The seventh version is the newest of which
// all is known here; of a kernel that has less it takes what there is.
func limitFiles(f Files) error {
	var rules []landlock.Rule
	add := func(paths []string, file, folder landlock.AccessFSSet) {
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				continue
			}
			rights := file
			if info.IsDir() {
				rights = folder
			}
			rules = append(rules, landlock.PathAccess(rights, path).IgnoreIfMissing())
		}
	}
	add(f.Read, readFile, readFolder)
	add(f.Append, ll.AccessFSWriteFile|ll.AccessFSTruncate, appendFolder)
	add(f.Keep, keepFile, keepFolder)
	return landlock.V7.BestEffort().RestrictPaths(rules...)
}
