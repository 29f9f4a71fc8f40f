package configs

import (
	"fmt"
	"net/netip"
	"time"
)

// Guard bounds what who guesses passwords can try. A number that is 0 turns its bound off.
type Guard struct {
	AddressGuessesPerMinute int            `yaml:"address_guesses_per_minute"` // wrong ones, of one IPv4 address or IPv6 /64
	AccountGuessesPerHour   int            `yaml:"account_guesses_per_hour"`   // wrong ones, from where the account is not known
	BanAfter                int            `yaml:"ban_after"`                  // failed logins of an address within an hour
	BanTime                 time.Duration  `yaml:"ban_time"`
	Exempt                  []netip.Prefix `yaml:"exempt"` // networks that are never throttled, delayed or banned
}

// maxBan bounds bans: what is remembered of them ends with the process at the latest.
const maxBan = 30 * 24 * time.Hour

func (c *checker) guard() {
	g := c.cfg.Guard
	c.notNegative("guard.address_guesses_per_minute", g.AddressGuessesPerMinute)
	c.notNegative("guard.account_guesses_per_hour", g.AccountGuessesPerHour)
	c.notNegative("guard.ban_after", g.BanAfter)
	if g.BanAfter > 0 {
		c.positive("guard.ban_time", int64(g.BanTime), "1h, or ban_after: 0 to ban nobody")
	}
	if g.BanTime > maxBan {
		c.wrong("guard.ban_time", "is longer than bans are kept", "write at most 720h; who is to be kept out for good belongs into the firewall")
	}
	for i, network := range g.Exempt {
		field := fmt.Sprintf("guard.exempt[%d]", i)
		switch {
		case network.Addr().Is4In6():
			c.wrong(field, "IPv4 clients are not seen as IPv6", "write the network in IPv4's form, such as 10.0.0.0/8")
		case network != network.Masked():
			c.wrong(field, "the address has bits beyond the prefix length", "write "+network.Masked().String())
		}
	}
}

func (c *checker) notNegative(field string, n int) {
	if n < 0 {
		c.wrong(field, "must not be negative", "write a number from 1 up, or 0 to turn it off")
	}
}
