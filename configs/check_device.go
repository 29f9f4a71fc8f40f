package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (c *checker) profiles() {
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Profiles)) {
		c.device("profiles."+name, "", c.cfg.Profiles[name])
	}
}

// device judges what a user, a template or a profile says of itself.
func (c *checker) device(field, profile string, d Device) {
	if c.given(field+".profile") && !c.has(field+".profile") {
		c.profile(field+".profile", profile)
	}
	switch tls := c.cfg.TLS; {
	case d.TLS == RequiredTLS && !tls.Enabled() && !c.has("tls.certificate"):
		c.wrong(field+".tls", "there is no certificate, so nobody could log in", "set tls.certificate and tls.key, or tls.self_signed: true")
	case d.TLS == AllowedTLS && tls.Required:
		c.wrong(field+".tls", "tls.required lets nobody in in clear", "remove tls.required, and write tls: required for all others; or remove this")
	}
	if least := c.cfg.TLS.MinVersion; d.MinTLS != "" && d.MinTLS < least {
		c.wrong(field+".min_tls_version", fmt.Sprintf("tls.min_version is %s, so nobody comes as far with less", least),
			fmt.Sprintf("set tls.min_version: %q, and min_tls_version for all others; or remove this", d.MinTLS))
	}
}

func (c *checker) profile(field, name string) {
	names := slices.Sorted(maps.Keys(c.cfg.profiles()))
	if slices.Contains(names, name) {
		return
	}
	right := "there are: " + strings.Join(names, ", ")
	if best := nearest(name, names); best != "" {
		right = fmt.Sprintf("did you mean %s?", best)
	}
	c.wrong(field, fmt.Sprintf("there is no profile %q", name), right)
}
