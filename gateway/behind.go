package gateway

import (
	"causeway/auth"
	"causeway/configs"
)

// behindOf is what is configured to be behind a mount.
func behindOf(b configs.Behind, mirror bool) auth.Behind {
	if !b.Enabled() {
		return auth.Behind{}
	}
	return auth.Behind{Store: b.Store, Prefix: b.Prefix(), Until: b.Until.End(), CopyOnRead: b.Copy == configs.BehindOnRead, Mirror: mirror}
}
