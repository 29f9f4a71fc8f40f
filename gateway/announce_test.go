package gateway

import (
	"net/netip"
	"testing"

	"causeway/configs"
)

func TestAnnounce(t *testing.T) {
	addr, network := netip.MustParseAddr, netip.MustParsePrefix
	rules := []configs.ByClientRule{
		{Network: network("10.0.0.0/8"), Address: addr("10.1.2.3")},
		{Network: network("10.9.0.0/16"), Address: addr("10.9.0.1")},
		{Network: network("2001:db8::/32"), Address: addr("192.0.2.6")},
	}
	outside := addr("203.0.113.5")
	local := addr("192.168.0.2")
	for _, c := range []struct {
		client string
		p      configs.Passive
		want   netip.Addr
	}{
		{"10.5.5.5", configs.Passive{ByClient: rules, Address: outside}, addr("10.1.2.3")},
		{"10.9.5.5", configs.Passive{ByClient: rules, Address: outside}, addr("10.9.0.1")},
		{"::ffff:10.9.5.5", configs.Passive{ByClient: rules}, addr("10.9.0.1")},
		{"2001:db8::1", configs.Passive{ByClient: rules}, addr("192.0.2.6")},
		{"198.51.100.1", configs.Passive{ByClient: rules, Address: outside}, outside},
		{"198.51.100.1", configs.Passive{ByClient: rules}, local},
		{"198.51.100.1", configs.Passive{Address: outside}, outside},
	} {
		if got := announce(c.p)(local, addr(c.client)); got != c.want {
			t.Errorf("%s: %v, want %v", c.client, got, c.want)
		}
	}
	if announce(configs.Passive{}) != nil {
		t.Error("without rules the engine decides")
	}
}
