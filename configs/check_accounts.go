package configs

import (
	"fmt"
	"net/netip"
	"slices"
)

// accounts judges where accounts come from, not what is found there.
func (c *checker) accounts() {
	for i, a := range c.cfg.Accounts {
		field := fmt.Sprintf("accounts[%d].file", i)
		c.filled(field, a.File, "name a users file, such as users.yaml")
		first := slices.IndexFunc(c.cfg.Accounts, func(o AccountSource) bool { return sameFile(o.File, a.File) })
		if a.File != "" && first < i {
			c.wrong(field, fmt.Sprintf("is that of accounts[%d] too", first), "name each file once")
		}
	}
}

func (c *checker) networks(field string, networks []netip.Prefix) {
	for i, n := range networks {
		at := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case n.Addr().Is4In6():
			c.wrong(at, "IPv4 clients are known by their IPv4 addresses", "write an IPv4 network, such as 10.0.0.0/8")
		case n != n.Masked():
			c.wrong(at, "the address has bits beyond the prefix length", "write "+n.Masked().String())
		}
	}
}
