package configs

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// checker judges a decoded Config as a whole: what refers to what, and what cannot be
// together. Nothing is reported of a field that could not be decoded.
type checker struct {
	*report
	cfg    *Config
	host   host
	hashes []hashForm
}

func (c *checker) check() {
	c.listeners()
	c.passive()
	c.tls()
	for name, s := range c.cfg.Stores {
		c.store(name, s)
	}
	c.buckets()
	c.somebody()
	c.profiles()
	c.templates(c.cfg.Templates, providerMarks())
	c.users()
	c.apply(c.cfg.Templates, nil)
	c.keeps(c.cfg.Users)
	c.accounts()
	c.mounts("anonymous.mounts", anonymousMounts(c.cfg.Anonymous))
	c.accountLimits("anonymous.limits", c.cfg.Anonymous.Limits)
	c.cache()
	c.uploads()
	c.limits()
	c.guard()
	c.spool()
	c.audit()
	c.admin()
}

func (c *checker) listeners() {
	if len(c.cfg.Listeners) == 0 {
		c.wrong("listeners", "there are none", `write for example {address: ":21"}`)
	}
	seen := map[string]int{}
	for i, l := range c.cfg.Listeners {
		field := fmt.Sprintf("listeners[%d]", i)
		c.address(field+".address", l.Address)
		if first, ok := seen[l.Address]; ok && !strings.HasSuffix(l.Address, ":0") {
			c.wrong(field+".address", fmt.Sprintf("%q is that of listeners[%d] too", l.Address, first), "listen on each address once")
		}
		seen[l.Address] = i
		if l.TLS == ImplicitTLS && !c.cfg.TLS.Enabled() && !c.has("tls.certificate") {
			c.wrong(field+".tls", "there is no certificate", "set tls.certificate and tls.key, or tls.self_signed: true")
		}
	}
}

func (c *checker) address(field, address string) {
	const right = `write host:port or :port, such as "127.0.0.1:21", "[::1]:21" or ":21"`
	if !c.required(field, right) {
		return
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		c.wrong(field, fmt.Sprintf("%q is not an address", address), right)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		c.wrong(field, fmt.Sprintf("%q is not a port", port), "write a number from 1 to 65535, or 0 for any")
	}
}

// required reports a field that is not in the file, and tells whether it can be judged.
func (c *checker) required(field, right string) bool {
	if !c.given(field) {
		c.wrong(field, "is missing", right)
		return false
	}
	return !c.has(field)
}

func (c *checker) passive() {
	p := c.cfg.Passive
	if p.Address.IsValid() && !p.Address.Is4() {
		c.wrong("passive.address", "PASV can announce IPv4 addresses only", "write one such as 192.0.2.10; IPv6 clients use EPSV, which needs none")
	}
	seen := map[string]int{}
	for i, r := range p.ByClient {
		field := fmt.Sprintf("passive.by_client[%d]", i)
		if c.required(field+".network", "write the clients' network, such as 10.0.0.0/8") {
			if r.Network != r.Network.Masked() {
				c.wrong(field+".network", "the address has bits beyond the prefix length", "write "+r.Network.Masked().String())
			}
			network := r.Network.Masked().String()
			if first, ok := seen[network]; ok {
				c.wrong(field+".network", fmt.Sprintf("is that of passive.by_client[%d] too", first), "keep one of them")
			}
			seen[network] = i
		}
		if c.required(field+".address", "write the address to announce, such as 10.1.2.3") && !r.Address.Is4() {
			c.wrong(field+".address", "PASV can announce IPv4 addresses only", "write one such as 10.1.2.3")
		}
	}
}

func (c *checker) tls() {
	t := c.cfg.TLS
	switch {
	case t.SelfSigned && t.Certificate != "":
		c.wrong("tls.self_signed", "there is a certificate too", "remove one of the two")
	case t.SelfSigned && t.Key != "":
		c.wrong("tls.key", "a self-signed certificate has its own key", "remove one of the two")
	case t.Certificate != "" && t.Key == "" && !c.has("tls.key"):
		c.wrong("tls.key", "is missing", "name the file with the certificate's private key, in PEM")
	case t.Certificate == "" && t.Key != "" && !c.has("tls.certificate"):
		c.wrong("tls.certificate", "is missing", "name the file with the key's certificate, in PEM")
	case t.Certificate != "" && t.Key != "":
		c.keyPair(t)
	case !t.SelfSigned && c.given("tls") && !c.has("tls.self_signed"):
		c.wrong("tls", "there is no certificate", "set certificate and key, or self_signed: true, or remove tls")
	}
}

// keyPair reads the two files and reports the one that is at fault.
func (c *checker) keyPair(t TLS) {
	certificate, ok := c.file("tls.certificate", t.Certificate)
	key, keyOK := c.file("tls.key", t.Key)
	c.confidential("tls.key", t.Key, "the private key")
	if !ok || !keyOK {
		return
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		c.wrong("tls.certificate", "certificate and key cannot be used: "+err.Error(), "name PEM files that belong together")
	}
}

// file reads a file that the configuration names.
func (c *checker) file(field, path string) ([]byte, bool) {
	data, err := c.host.readFile(path)
	if err != nil {
		c.wrong(field, "cannot be read: "+err.Error(), "name a file that this user may read; relative paths begin at the configuration's directory")
		return nil, false
	}
	return data, true
}

func (c *checker) cache() {
	if c.cfg.Cache.TTL == 0 {
		return
	}
	c.positive("cache.entries", int64(c.cfg.Cache.Entries), "100000, or ttl: 0s to turn the cache off")
	c.positive("cache.bytes", int64(c.cfg.Cache.Bytes), "64MiB, or ttl: 0s to turn the cache off")
}

func (c *checker) positive(field string, n int64, example string) {
	if n <= 0 {
		c.wrong(field, "must be more than zero", "write for example "+example)
	}
}

func (c *checker) spool() {
	s := c.cfg.Spool
	switch {
	case s.Dir != "" && s.Bytes == 0:
		c.wrong("spool.bytes", "the folder may hold nothing", "write its limit, such as 10GiB, or remove spool.dir")
	case s.Dir == "" && s.Bytes > 0:
		c.wrong("spool.dir", "is missing", "name a folder, or remove spool.bytes")
	}
}
