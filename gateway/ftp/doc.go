// Package ftp is the protocol engine: it speaks FTP on control and data connections and
// calls an [FS] for the files. It knows no store, no user database and no configuration
// file, and imports the standard library alone.
//
// Its central type is [Server].
package ftp
