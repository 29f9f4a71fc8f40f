package configs

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
	"time"
)

const (
	// DefaultConnections is how many connections to an FTP server a store opens at most.
	DefaultConnections = 8
	// maxConnections is more than any FTP server lets one user have.
	maxConnections = 100
	// AutoZone compares the time of a file in a listing with what MDTM says of it.
	AutoZone = "auto"
	// implicitPort is where TLS begins with the first octet (RFC 4217, appendix A).
	implicitPort = "990"
)

const rightFTP = "write ftps://host, or ftp://host where the server has no TLS; :port and /directory may follow"

// ftpServer judges a store of kind ftp.
func (c *checker) ftpServer(field string, s Store) {
	if s.Kind != FTP {
		return
	}
	if s.URL != "" {
		c.ftpURL(field+".url", s.URL)
	}
	if n := s.Connections; c.given(field+".connections") && !c.has(field+".connections") && (n < 1 || n > maxConnections) {
		c.wrong(field+".connections", fmt.Sprintf("%d is not from 1 to %d", n, maxConnections), fmt.Sprintf("write for example %d", DefaultConnections))
	}
	c.oneLine(field+".user", s.User)
	c.oneLine(field+".password", s.Password.Reveal())
	c.optional(field+".charset", s.Charset)
	c.timeZone(field+".time_zone", s.TimeZone)
	c.ftpTrust(field, s)
}

// oneLine reports what would be more than one command to the server.
func (c *checker) oneLine(field, value string) {
	if strings.ContainsAny(value, "\r\n\x00") {
		c.wrong(field, "holds a line break", "write it in one line")
	}
}

func (c *checker) ftpURL(field, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "ftp" && u.Scheme != "ftps":
		c.wrong(field, fmt.Sprintf("%q is not the address of an FTP server", redact(text)), rightFTP)
	case u.User != nil:
		c.wrong(field, "holds a user or password", "remove it; user and password have their own keys")
	case u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Path, ";"):
		c.wrong(field, "holds a query, a fragment or a type", "remove what follows ?, # or ;")
	case strings.ContainsAny(u.Path, "\r\n\x00"):
		c.wrong(field, "holds a line break", rightFTP)
	case u.Scheme == "ftp" && u.Port() == implicitPort:
		c.wrong(field, "990 is the port of implicit TLS", "write ftps:// for it")
	}
}

func (c *checker) timeZone(field, zone string) {
	if !c.given(field) || c.has(field) || zone == AutoZone {
		return
	}
	const right = "write auto, or a zone such as Europe/Berlin or UTC"
	if zone == "" || zone == "Local" {
		c.wrong(field, fmt.Sprintf("%q is not a time zone", zone), right)
	} else if _, err := time.LoadLocation(zone); err != nil {
		c.wrong(field, fmt.Sprintf("%q is not a time zone that this machine knows", zone), right)
	}
}

// ftpTrust judges whom the store takes for the server.
func (c *checker) ftpTrust(field string, s Store) {
	c.authority(field+".ca", s.CA)
	pin := field + ".certificate_sha256"
	c.optional(pin, s.CertificateSHA256)
	if strings.HasPrefix(s.URL, "ftp://") {
		for _, key := range []string{field + ".ca", pin} {
			if c.given(key) {
				c.wrong(key, "the server is spoken to in clear, so nothing is verified", "write ftps:// in the url, or remove this")
			}
		}
	}
	if s.CertificateSHA256 == "" {
		return
	}
	if s.CA != "" {
		c.wrong(pin, "there is a ca too", "keep one of the two: with this, no authority is asked")
	}
	if sum, err := s.PinnedCertificate(); err != nil || len(sum) != 32 {
		c.wrong(pin, "is no SHA-256", "write 64 hexadecimal digits, with or without colons, as causeway check shows them")
	}
}

// PinnedCertificate is the SHA-256 of the one certificate that is trusted; nil if there is
// none. The octets of a configuration that was loaded are 32.
func (s Store) PinnedCertificate() ([]byte, error) {
	return hex.DecodeString(strings.ReplaceAll(s.CertificateSHA256, ":", ""))
}

// tree is what [checker.bucket] compares, of a store of kind ftp. Users may see different
// trees under the same paths.
func (s Store) tree() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" || port == implicitPort {
		port = "21"
	}
	return "ftp://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port) + "/" + url.QueryEscape(s.User) + strings.TrimSuffix(path.Clean("/"+u.Path), "/") + "/"
}
