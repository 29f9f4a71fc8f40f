// Package accounts starts the servers that accounts can be kept in, for tests: OpenLDAP's
// slapd, PostgreSQL and MariaDB, each with its data in a folder that the test gives. It does
// not install them: see e2e/install.sh, which unpacks Debian's packages into a folder, so
// that no service of this machine is started or changed.
package accounts

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

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
