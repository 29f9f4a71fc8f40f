package gateway

import (
	"causeway/auth"
	"causeway/configs"
	"causeway/gateway/limits"
)

// newLimits counts what accounts use together.
func newLimits(c configs.Limits) *limits.Registry {
	return limits.New(limits.Total{Transfers: c.Transfers, UploadRate: int64(c.UploadRate), DownloadRate: int64(c.DownloadRate)})
}

// limitsOf are those of an account.
func limitsOf(c configs.AccountLimits) auth.Limits {
	return auth.Limits{
		Sessions:     c.Sessions,
		Transfers:    c.Transfers,
		UploadRate:   int64(c.UploadRate),
		DownloadRate: int64(c.DownloadRate),
		FileSize:     int64(c.FileSize),
		CommandRate:  c.CommandsPerSecond,
	}
}

// allowanceOf are those of them that are counted while a session lasts.
func allowanceOf(l auth.Limits) limits.Account {
	return limits.Account{
		Sessions:     l.Sessions,
		Transfers:    l.Transfers,
		UploadRate:   l.UploadRate,
		DownloadRate: l.DownloadRate,
		CommandRate:  l.CommandRate,
	}
}
