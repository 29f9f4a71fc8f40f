package gateway

import (
	"cmp"
	"net/netip"
	"slices"

	"causeway/configs"
)

// announce chooses the address in the reply to PASV: that of the smallest network that
// the client is in, else the one for everybody, else the one that the client has reached.
func announce(p configs.Passive) func(local, client netip.Addr) netip.Addr {
	if len(p.ByClient) == 0 && !p.Address.IsValid() {
		return nil
	}
	rules := slices.Clone(p.ByClient)
	slices.SortStableFunc(rules, func(a, b configs.ByClientRule) int {
		return cmp.Compare(b.Network.Bits(), a.Network.Bits())
	})
	return func(local, client netip.Addr) netip.Addr {
		client = client.Unmap().WithZone("")
		for _, r := range rules {
			if r.Network.Contains(client) {
				return r.Address
			}
		}
		if p.Address.IsValid() {
			return p.Address
		}
		return local
	}
}
