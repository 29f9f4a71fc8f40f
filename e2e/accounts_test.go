//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// door is a gateway whose accounts are kept elsewhere, with a bucket of its own.
type door struct {
	*gateway
	bucket *namedBucket
}

// openDoor starts a gateway with further sections. cam1 is one of its own users.
func openDoor(t *testing.T, extra string) door {
	t.Helper()
	bucket, err := newLocalBucket(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// All guesses come from one address.
	s := setup{accounts: []account{{name: user, store: bucket, prefix: "own/"}}, plain4: true, extra: extra + "guard: {exempt: [127.0.0.0/8]}\n"}
	return door{start(t, s), bucket}
}

var passReply = regexp.MustCompile(`(?s)> PASS .*?< (\d{3}) `)

// login uploads a file with curl, and returns the reply to the password and where the file
// is in the bucket, "" if it is not there.
func (d door) login(t *testing.T, name, password string) (code, place string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, port, err := net.SplitHostPort(d.address(false, false))
	if err != nil {
		t.Fatal(err)
	}
	file := bucketName() + ".txt"
	// The name and password are read from a file: as an argument a colon would end the name.
	netrc := writeFile(t, "netrc", "machine localhost login "+quoteNetrc(name)+" password "+quoteNetrc(password)+"\n")
	cmd := exec.CommandContext(ctx, "curl", "-sv", "-4", "--ssl-reqd", "--cacert", shared.cert.certFile,
		"--netrc-file", netrc, "-T", "-", "ftp://localhost:"+port+"/"+file)
	cmd.Stdin = strings.NewReader("for " + name)
	var said bytes.Buffer
	cmd.Stderr = &said
	ended := cmd.Run()
	m := passReply.FindStringSubmatch(said.String())
	if m == nil {
		t.Fatalf("%q: no reply to the password: %v\n%s", name, ended, said.String())
	}
	if ended != nil {
		return m[1], ""
	}
	return m[1], d.find(t, file)
}

// quoteNetrc is a text as curl reads it in a netrc file.
func quoteNetrc(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// find returns the folder in the bucket that has a file.
func (d door) find(t *testing.T, name string) string {
	t.Helper()
	root, place := d.bucket.bucket.(localBucket).root, ""
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(path) == name {
			place = strings.TrimPrefix(filepath.Dir(path), root+"/")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return place
}

// attempt is a login and what becomes of it.
type attempt struct {
	name, password string
	code, place    string
}

// attempts makes all of them at once, since each that fails waits.
func (d door) attempts(t *testing.T, list []attempt) {
	t.Helper()
	var running sync.WaitGroup
	for _, a := range list {
		running.Go(func() {
			if code, place := d.login(t, a.name, a.password); code != a.code || place != a.place {
				t.Errorf("%q with %q: %s, in %q; want %s, in %q", a.name, a.password, code, place, a.code, a.place)
			}
		})
	}
	running.Wait()
}

// hostileNames are names that mean something to those who are asked, and are nobody's.
func hostileNames(password string) []attempt {
	var list []attempt
	for _, name := range []string{
		"*", "'%00)(*)", "a)(uid=*", "acme)(objectClass=*", "acme,ou=people", `acme\`, "acme\\2a", "",
		"' OR '1'='1", "' OR 1=1 -- ", `\' OR 1=1 -- `, "acme'; DROP TABLE users; -- ", "acme'/*", "{user}", "$1", "?", "acme%", "\xff",
	} {
		if name != "" {
			list = append(list, attempt{name, password, "530", ""})
		}
	}
	return list
}

// tells waits until the log has a reason.
func (d door) tells(t *testing.T, reason string) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		if !strings.Contains(d.log.String(), reason) {
			return fmt.Errorf("the log does not tell that %s", reason)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
