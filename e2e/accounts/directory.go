package accounts

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"causeway/e2e/process"
	"causeway/e2e/unpacked"
)

// Suffix is where the directory begins.
const Suffix = "dc=example,dc=org"

// Directory is what a slapd is started with.
type Directory struct {
	Dir       string // an empty folder, for all that it writes
	Cert, Key string // PEM files, for ldaps and StartTLS
	Scheme    string // ldap or ldaps
	LDIF      string // its entries
}

// slapdConf names the schemas, modules and rights of a usual installation: nobody sees a
// password, who has bound sees the rest, and an entry shows the groups that it is in.
// Nobody may bind without TLS. The attributes of Active Directory that the gateway reads
// are added.
const slapdConf = `
include ROOT/etc/ldap/schema/core.schema
include ROOT/etc/ldap/schema/cosine.schema
include ROOT/etc/ldap/schema/nis.schema
include ROOT/etc/ldap/schema/inetorgperson.schema
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.1 NAME 'adUser' SUP top AUXILIARY MAY ( sAMAccountName $ userAccountControl $ accountExpires ) )
modulepath ROOT/usr/lib/ldap
moduleload back_mdb
moduleload memberof
TLSCertificateFile CERT
TLSCertificateKeyFile KEY
security simple_bind=128
database mdb
suffix SUFFIX
directory DIR/data
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// StartDirectory starts a slapd that has the entries.
func StartDirectory(ctx context.Context, d Directory) (*process.Server, error) {
	slapd, err := unpacked.Locate("/usr/sbin/slapd")
	if err != nil {
		return nil, err
	}
	conf := strings.NewReplacer("ROOT", slapd.Root, "CERT", d.Cert, "KEY", d.Key, "SUFFIX", Suffix, "DIR", d.Dir).Replace(slapdConf)
	if err := write(d.Dir, map[string]string{"slapd.conf": conf, "data.ldif": d.LDIF}); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(d.Dir, "data"), 0o700); err != nil {
		return nil, err
	}
	config := filepath.Join(d.Dir, "slapd.conf")
	if err := run(slapd.Beside("slapadd").Command("-q", "-f", config, "-l", filepath.Join(d.Dir, "data.ldif"))); err != nil {
		return nil, err
	}
	return process.Start(ctx, process.Program{
		Command: func(port string) *exec.Cmd {
			return slapd.Command("-d", "0", "-f", config, "-h", fmt.Sprintf("%s://127.0.0.1:%s/", d.Scheme, port))
		},
		Ready: func(_ context.Context, address string) bool {
			conn, err := ldap.DialURL("ldap://" + address)
			if err != nil {
				return false
			}
			_ = conn.Close()
			return true
		},
	})
}
