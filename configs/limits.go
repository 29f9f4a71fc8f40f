package configs

import (
	"cmp"
	"fmt"
	"time"
)

// Limits bound what clients can make the gateway hold, and use all together. Transfers and
// rates of 0 set no bound.
type Limits struct {
	Sessions           int           `yaml:"sessions"`
	SessionsPerAddress int           `yaml:"sessions_per_address"` // of one IPv4 address or IPv6 /64
	Transfers          int           `yaml:"transfers"`            // uploads and downloads at once
	UploadRate         Size          `yaml:"upload_rate"`          // octets a second
	DownloadRate       Size          `yaml:"download_rate"`        // octets a second
	IdleTimeout        time.Duration `yaml:"idle_timeout"`         // between commands
	LoginTimeout       time.Duration `yaml:"login_timeout"`        // from connecting to being logged in
	TransferTimeout    time.Duration `yaml:"transfer_timeout"`     // without progress
	DrainTimeout       time.Duration `yaml:"drain_timeout"`        // for running transfers at shutdown
	Buffers            Size          `yaml:"buffers"`              // of all uploads together
	HashPerHour        Size          `yaml:"hash_per_hour"`        // read for checksums of one account that no store keeps

	PerAccount AccountLimits `yaml:"per_account"` // of each that does not say itself; not of the anonymous account
}

// AccountLimits bound what one account uses, all its sessions together. A field that is 0
// is as the template says, then as [Limits.PerAccount]; 0 there sets no bound.
type AccountLimits struct {
	Sessions          int  `yaml:"sessions"`            // at once
	Transfers         int  `yaml:"transfers"`           // uploads and downloads at once
	UploadRate        Size `yaml:"upload_rate"`         // octets a second
	DownloadRate      Size `yaml:"download_rate"`       // octets a second
	FileSize          Size `yaml:"file_size"`           // octets of a file that is uploaded
	CommandsPerSecond int  `yaml:"commands_per_second"` // what comes faster waits
}

// Or is these limits with others in the place of those that are 0.
func (l AccountLimits) Or(others AccountLimits) AccountLimits {
	return AccountLimits{
		Sessions:          cmp.Or(l.Sessions, others.Sessions),
		Transfers:         cmp.Or(l.Transfers, others.Transfers),
		UploadRate:        cmp.Or(l.UploadRate, others.UploadRate),
		DownloadRate:      cmp.Or(l.DownloadRate, others.DownloadRate),
		FileSize:          cmp.Or(l.FileSize, others.FileSize),
		CommandsPerSecond: cmp.Or(l.CommandsPerSecond, others.CommandsPerSecond),
	}
}

// minBuffers is four parts of twice the stores' least size, 5 MiB: a part takes at most
// a quarter of the buffers.
const minBuffers = 32 * MiB

func (c *checker) limits() {
	l := c.cfg.Limits
	c.positive("limits.sessions", int64(l.Sessions), "10000")
	c.positive("limits.sessions_per_address", int64(l.SessionsPerAddress), "100")
	c.positive("limits.idle_timeout", int64(l.IdleTimeout), "5m")
	c.positive("limits.login_timeout", int64(l.LoginTimeout), "30s")
	c.positive("limits.transfer_timeout", int64(l.TransferTimeout), "60s")
	c.positive("limits.hash_per_hour", int64(l.HashPerHour), "256GiB")
	if l.Buffers < minBuffers {
		c.wrong("limits.buffers", "is too small for uploads in parts", fmt.Sprintf("write at least %dMiB", minBuffers/MiB))
	}
	c.someOrNone("limits.transfers", int64(l.Transfers), "1000")
	c.rates("limits", l.UploadRate, l.DownloadRate)
	c.accountLimits("limits.per_account", l.PerAccount)
}

func (c *checker) accountLimits(field string, l AccountLimits) {
	c.someOrNone(field+".sessions", int64(l.Sessions), "10")
	c.someOrNone(field+".transfers", int64(l.Transfers), "4")
	c.someOrNone(field+".file_size", int64(l.FileSize), "10GiB")
	c.someOrNone(field+".commands_per_second", int64(l.CommandsPerSecond), "50")
	c.rates(field, l.UploadRate, l.DownloadRate)
}

// someOrNone reports a limit that is there and lets nothing through: who writes 0 may mean
// no limit.
func (c *checker) someOrNone(field string, n int64, example string) {
	if n < 0 || n == 0 && c.given(field) && !c.has(field) {
		c.wrong(field, "would let nothing through", "write for example "+example+", or leave it out for no limit of its own")
	}
}

// minRate is that of a modem of 1990; a client gives up on less.
const minRate = 1 * KiB

func (c *checker) rates(field string, up, down Size) {
	for key, rate := range map[string]Size{".upload_rate": up, ".download_rate": down} {
		if at := field + key; rate < minRate && c.given(at) && !c.has(at) {
			c.wrong(at, "is so low that clients would give up", "write octets a second from 1KiB up, such as 10MiB, or leave it out for no limit of its own")
		}
	}
}
