package gateway

import (
	"crypto/tls"
	"errors"

	"causeway/auth"
	"causeway/configs"
	"causeway/gateway/ftp"
)

// deviceOf is how a user's clients talk.
func deviceOf(d configs.Device) auth.Device {
	return auth.Device{
		TLS:         string(d.TLS),
		MinTLS:      string(d.MinTLS),
		Ciphers:     string(d.Ciphers),
		Active:      string(d.Active),
		Listing:     string(d.Listing),
		UnknownSite: string(d.UnknownSite),
	}
}

// mannersOf is what the engine does for the clients of an account. Words that are not there
// mean the default, which is the zero value throughout.
func mannersOf(d auth.Device) ftp.Manners {
	return ftp.Manners{
		Least: ftp.Protection{
			Required:   d.TLS == string(configs.RequiredTLS),
			MinVersion: tlsVersion(configs.TLSVersion(d.MinTLS)),
			Modern:     d.Ciphers == string(configs.ModernCiphers),
		},
		PassiveOnly: d.Active == string(configs.PassiveOnly),
		DOSListing:  d.Listing == string(configs.DOSListing),
		AnySite:     d.UnknownSite == string(configs.AcceptUnknown),
	}
}

// errWeak is a login over a connection that the account is not for. It comes after the
// password, and sounds as if that were wrong: before it, it would tell that there is such
// an account, and after it, that it was right.
var errWeak = errors.New("the connection is in clear, or its TLS is weaker than the account allows")

// protected tells whether an account may be used over a connection; state is nil in clear.
func protected(account *auth.Account, state *tls.ConnectionState) error {
	if mannersOf(account.Device).Least.Met(state) {
		return nil
	}
	return errWeak
}
