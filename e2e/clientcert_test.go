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

// authorityConfig is what `openssl ca` is told of an authority.
const authorityConfig = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
crlnumber = crlnumber
default_md = sha256
default_days = 2
default_crl_days = 2
policy = any
x509_extensions = client
unique_subject = no
[any]
commonName = supplied
[client]
extendedKeyUsage = clientAuth
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
`

// authority is one of openssl's in a folder.
type authority struct {
	t   *testing.T
	dir string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t, t.TempDir()}
	for name, text := range map[string]string{"ca.cnf": authorityConfig, "index.txt": "", "crlnumber": "01\n"} {
		if err := os.WriteFile(a.file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.openssl("req", "-x509", "-config", "ca.cnf", "-extensions", "authority", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
		"-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority")
	a.list()
	return a
}

func (a authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a authority) openssl(args ...string) {
	a.t.Helper()
	cmd := exec.CommandContext(a.t.Context(), "openssl", args...)
	cmd.Dir = a.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
}

// issue signs a client's certificate for a name; more is what openssl ca is told beside. It
// returns the path without its ending, which is .pem or .key.
func (a authority) issue(name string, more ...string) string {
	a.t.Helper()
	path := a.file(name + random(4))
	a.openssl("req", "-config", "ca.cnf", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-keyout", path+".key", "-out", path+".csr", "-subj", "/CN="+name)
	a.openssl(append([]string{"ca", "-config", "ca.cnf", "-batch", "-notext", "-in", path + ".csr", "-out", path + ".pem"}, more...)...)
	return path
}

// revoke puts a certificate on the list.
func (a authority) revoke(certificate string) {
	a.t.Helper()
	a.openssl("ca", "-config", "ca.cnf", "-revoke", certificate+".pem")
	a.list()
}

// list writes the revocation list, at once for who reads it.
func (a authority) list() {
	a.t.Helper()
	a.openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "next.crl")
	if err := os.Rename(a.file("next.crl"), a.file("ca.crl")); err != nil {
		a.t.Fatal(err)
	}
}

// certified is a login with a certificate and what becomes of it.
type certified struct {
	why         string
	certificate string // "" is none
	name        string
	password    string
	codes       string // of the replies to USER and PASS
	place       string
}

var (
	userReply  = regexp.MustCompile(`(?s)> USER .*?< (\d{3}) `)
	userPassed = regexp.MustCompile(`(?s)> USER .*?< (\d{3}) .*?> PASS .*?< (\d{3}) `)
)

// certified makes all logins at once.
func (d door) certified(t *testing.T, list []certified) {
	t.Helper()
	var running sync.WaitGroup
	for _, c := range list {
		running.Go(func() {
			if codes, place, said := d.present(t, c); codes != c.codes || place != c.place {
				t.Errorf("%s: %q, in %q; want %q, in %q\n%s", c.why, codes, place, c.codes, c.place, said)
			}
		})
	}
	running.Wait()
}

// present uploads a file with curl and a certificate.
func (d door) present(t *testing.T, c certified) (codes, place, said string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, port, err := net.SplitHostPort(d.address(false, false))
	if err != nil {
		t.Error(err)
	}
	file := bucketName() + ".txt"
	args := []string{"-sv", "-4", "--ssl-reqd", "--cacert", shared.cert.certFile, "-u", c.name + ":" + c.password}
	if c.certificate != "" {
		args = append(args, "--cert", c.certificate+".pem", "--key", c.certificate+".key")
	}
	cmd := exec.CommandContext(ctx, "curl", append(args, "-T", "-", "ftp://localhost:"+port+"/"+file)...)
	cmd.Stdin = strings.NewReader("for " + c.name)
	var out bytes.Buffer
	cmd.Stderr = &out
	ended := cmd.Run()
	said = fmt.Sprintf("%v\n%s", ended, out.String())
	if m := userPassed.FindStringSubmatch(said); m != nil {
		codes = m[1] + " " + m[2]
	} else if m := userReply.FindStringSubmatch(said); m != nil {
		codes = m[1]
	}
	return codes, d.find(t, file), said
}

// TestClientCertificates: curl shows certificates of devices, which stand for passwords, and
// of partners, who need both.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	devices, partners, stranger := newAuthority(t), newAuthority(t), newAuthority(t)
	users := writeFile(t, "users.yaml", "users:\n  - {name: acme, password: "+quote(shared.hash)+", template: partner}\n"+
		"  - {name: globex, password: "+quote(shared.hash)+", template: partner}\n")
	d := openDoor(t, doorTemplates+`  device: {mounts: [{path: /, store: store0, prefix: "devices/{user}/", rights: [write]}]}
accounts:
  - certificate: {ca: `+quote(devices.file("ca.pem"))+`, password: not_required, template: device}
  - certificate: {ca: `+quote(partners.file("ca.pem"))+`, crl: `+quote(partners.file("ca.crl"))+`, password: required}
  - {file: `+quote(users)+`}
`)
	past := []string{"-startdate", "20200101000000Z", "-enddate", "20210101000000Z"}
	camera, acme, globex := devices.issue("camera"), partners.issue("acme"), partners.issue("globex")
	d.certified(t, []certified{
		{"a device", camera, "camera", "", "232", "devices/camera"}, // the password is not asked for
		{"a user of the configuration", "", user, password, "331 230", "own"},
		{"a partner", acme, "acme", password, "331 230", "partners/acme"},
		{"another partner", globex, "globex", password, "331 230", "partners/globex"},
		{"a partner, in capitals of the certificate", partners.issue("GLOBEX"), "globex", password, "331 530", ""},
	})
	revoked := partners.issue("acme")
	partners.revoke(revoked)
	t.Run("TestA14", func(t *testing.T) {
		d.certified(t, []certified{
			{"none, for a device", "", "camera", "", "331 530", ""},
			{"another's, for a device", camera, "camera2", "", "331 530", ""},
			{"expired, of a device", devices.issue("camera", past...), "camera", "", "", ""},
			{"of another authority, for a device", stranger.issue("camera"), "camera", "", "", ""},
			{"none, for a partner", "", "acme", password, "331 530", ""},
			{"a wrong password", acme, "acme", "wrong", "331 530", ""},
			{"another partner's", globex, "acme", password, "331 530", ""},
			{"revoked", revoked, "acme", password, "331 530", ""},
			{"expired", partners.issue("acme", past...), "acme", password, "", ""},
			{"of another authority", stranger.issue("acme"), "acme", password, "", ""},
		})
		// The list counts that is there at login.
		partners.revoke(globex)
		d.certified(t, []certified{
			{"revoked by now", globex, "globex", password, "331 530", ""},
			{"not revoked", acme, "acme", password, "331 230", "partners/acme"},
		})
	})
	for _, reason := range []string{"it was revoked", "it is for another account", "a certificate of the authority is required"} {
		d.tells(t, reason)
	}
}
