package configs

import (
	"fmt"
	"net/netip"
)

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
