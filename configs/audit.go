package configs

import (
	"fmt"
	"net"
	"net/netip"
)

// Audit is the record of logins and file operations. It is off when File is "".
type Audit struct {
	File   string      `yaml:"file"`
	Format AuditFormat `yaml:"format"`
}

// AuditFormat is "json" or "xferlog".
type AuditFormat string

// XferlogFormat is that of wu-ftpd, of transfers and deletions alone.
const XferlogFormat AuditFormat = "xferlog"

func (AuditFormat) choices() []string { return []string{"json", string(XferlogFormat)} }

// Admin is the listener for metrics and health. It is off when Address is "".
type Admin struct {
	Address string `yaml:"address"` // host:port
	Public  bool   `yaml:"public"`  // may be reached from other machines
}

func (c *checker) audit() {
	if c.cfg.Audit.File == "" && c.given("audit.format") && !c.given("audit.file") {
		c.wrong("audit.file", "is missing", "name the file to append to, or remove audit.format")
	}
}

// admin wants an address that nobody else can reach, unless the operator says otherwise:
// whoever does is not asked for a password.
func (c *checker) admin() {
	address := c.cfg.Admin.Address
	if address == "" {
		if c.cfg.Admin.Public {
			c.wrong("admin.address", "is missing", `write for example "127.0.0.1:9121", or remove admin.public`)
		}
		return
	}
	c.address("admin.address", address)
	host, _, err := net.SplitHostPort(address)
	if err == nil && !c.cfg.Admin.Public && !c.has("admin.public") && !loopback(host) {
		c.wrong("admin.address", fmt.Sprintf("%q can be reached from other machines, and nobody is asked for a password there", address),
			`write for example "127.0.0.1:9121", or set admin.public: true behind a firewall`)
	}
}

// loopback tells whether host is an address of this machine alone. Of names only localhost
// is known to be.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
