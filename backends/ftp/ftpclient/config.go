// Package ftpclient is a client for old FTP servers: lean, suspicious, and with all that
// moving files from them needs. It speaks RFC 959 with RFC 2428 (EPSV), RFC 3659 (MLST,
// MLSD, MDTM, SIZE, REST), RFC 4217 (TLS) and RFC 2640 (UTF-8), the drafts for MFMT and
// HASH, and reads the listings of servers that have none of these. It is no store and
// knows none, keeps no pool, tries nothing twice, and does only passive transfers of type I.
//
// The server is not trusted beyond the files that it has: what it sends is bounded, every
// step has a time limit, data connections go to the address of the control connection
// alone, and names that are no names of a file in the directory are left out.
//
// Its central type is [Conn].
package ftpclient

import (
	"crypto/tls"
	"time"

	"golang.org/x/text/encoding"
)

// TLSMode says how a connection is protected.
type TLSMode int

// The ways of protection. With TLS the data connections are protected too (PROT P); a
// server that cannot is an error, nothing goes on in clear.
const (
	None     TLSMode = iota // in clear
	Explicit                // AUTH TLS on the ordinary port (RFC 4217 §4)
	Implicit                // TLS from the first octet, usually on port 990
)

// Config says where a server is and how to talk to it.
type Config struct {
	Address string // host:port
	TLS     TLSMode
	// TLSConfig says whom to believe; nil is the system's roots. An empty ServerName is the
	// host of Address. Every Conn resumes its own TLS session on its data connections,
	// whatever session cache is given. See [Trust].
	TLSConfig *tls.Config
	User      string
	Password  string
	// Timeout limits dialling, waiting for a reply, and a read or write of data that does
	// not advance. 0 is 30 seconds.
	Timeout time.Duration
	// Zone is that of the times in LIST; nil is UTC.
	Zone *time.Location
	// Charset is that of names, and of user and password; nil is UTF-8. It must contain
	// ASCII as it is.
	Charset encoding.Encoding
}

// defaultTimeout is that of a Config without one.
const defaultTimeout = 30 * time.Second

func (cfg *Config) timeout() time.Duration {
	if cfg.Timeout <= 0 {
		return defaultTimeout
	}
	return cfg.Timeout
}
