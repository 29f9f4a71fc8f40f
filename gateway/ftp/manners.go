package ftp

import (
	"crypto/tls"
	"slices"
)

// Manners are what is particular to the sessions of one account. The zero value is what
// all others get.
type Manners struct {
	Least       Protection // of its data connections
	PassiveOnly bool       // PORT and EPRT are refused
	DOSListing  bool       // LIST looks as on Windows, and SYST says so
	AnySite     bool       // SITE commands that there are not are taken and ignored
}

// Protection is the least that is demanded of the TLS of a connection.
type Protection struct {
	Required   bool   // TLS at all
	MinVersion uint16 // as in crypto/tls, where there is TLS; 0 is any
	Modern     bool   // where there is TLS, a cipher suite with forward secrecy and AEAD
}

// Met tells whether a connection is protected well enough; state is nil in clear.
func (p Protection) Met(state *tls.ConnectionState) bool {
	if state == nil {
		return !p.Required
	}
	return state.Version >= p.MinVersion && (!p.Modern || modernSuite(state))
}

// modernSuite tells whether a suite has forward secrecy and AEAD, as all those of TLS 1.3
// have (RFC 9325 §4.2).
func modernSuite(state *tls.ConnectionState) bool {
	return state.Version >= tls.VersionTLS13 || slices.Contains([]uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}, state.CipherSuite)
}

// manners are those of who is logged in.
func (s *session) manners() Manners {
	if s.login.account == nil {
		return Manners{}
	}
	return s.login.account.Manners
}

// least is what is demanded of data connections.
func (s *session) least() Protection {
	least := s.manners().Least
	least.Required = least.Required || s.server.config.TLSRequired
	return least
}
