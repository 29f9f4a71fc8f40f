// Package accounts starts the servers that accounts can be kept in, for tests: OpenLDAP's
// slapd, PostgreSQL and MariaDB, each with its data in a folder that the test gives. It does
// not install them: see e2e/install.sh, which unpacks Debian's packages into a folder, so
// that no service of this machine is started or changed.
package accounts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is a file of a Debian package.
type program struct {
	root string // where the package is unpacked
	path string
}

// folder is where install.sh unpacks packages. Root's is open to others, since PostgreSQL
// refuses to run as root, and who it runs as may not pass root's home.
func folder() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/causeway-e2e/servers", nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "causeway-e2e", "servers"), err
}

// locate finds a program by its installed path, which may be a pattern. The last of those
// that match counts.
func locate(pattern string) (program, error) {
	root, err := folder()
	if err != nil {
		return program{}, err
	}
	found, err := filepath.Glob(root + pattern)
	if err != nil {
		return program{}, err
	}
	if len(found) > 0 {
		return program{root, found[len(found)-1]}, nil
	}
	return program{}, fmt.Errorf("%s is not installed (run e2e/install.sh): %w", pattern, fs.ErrNotExist)
}

// beside is another program of the same folder.
func (p program) beside(name string) program {
	return program{p.root, filepath.Join(filepath.Dir(p.path), name)}
}

// command runs the program with the libraries that were unpacked with it.
func (p program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.path, args...)
	libraries, _ := filepath.Glob(p.root + "/usr/lib/*-linux-gnu") // the pattern is right
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(libraries, ":"))
	return cmd
}

// run runs a command to its end.
func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}

// write writes files into a folder, by their names.
func write(dir string, files map[string]string) error {
	var errs []error
	for name, content := range files {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return errors.Join(errs...)
}
