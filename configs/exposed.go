package configs

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Exposed tells whether users of the machine can read or write a file who are neither its
// owner nor in its group. Where modes do not tell who may, no file is exposed.
func Exposed(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0
}

// hide is what to do with an exposed file.
func hide(path string) string { return "take the others' rights away: chmod o= " + path }

// exposure reports secrets that stand in a file which is open to everybody. One line tells
// of all: they have one remedy.
func (d *decoder) exposure(path string) {
	if len(d.secrets) == 0 || d.host.exposed == nil || !d.host.exposed(path) {
		return
	}
	wrong := "is a secret in a file that is open to every user of the machine"
	if more := len(d.secrets) - 1; more > 0 {
		wrong = fmt.Sprintf("is one of %d secrets in a file that is open to every user of the machine", more+1)
	}
	d.wrongAt(d.line(d.secrets[0]), d.secrets[0], wrong, hide(path)+", or take secrets from the environment: ${NAME}")
}

// confidential reports a file with something secret in it that is open to everybody.
func (c *checker) confidential(field, path, what string) {
	if c.host.exposed != nil && c.host.exposed(path) {
		c.wrong(field, fmt.Sprintf("%s is open to every user of the machine, and holds %s", path, what), hide(path))
	}
}

// spelledOut tells whether a value holds more than environment variables.
func spelledOut(text string) bool {
	for {
		before, rest, found := strings.Cut(text, "${")
		if !found || before != "" {
			return before != ""
		}
		_, text, _ = strings.Cut(rest, "}")
	}
}
