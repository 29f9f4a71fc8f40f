// Package gateway is the composition root: it turns a configuration into a running
// gateway. It opens every store once, decorates it with the metadata cache, makes the
// accounts and the TLS configuration, gives each login its own view of the stores, and
// ends running transfers in order at shutdown. Log, audit and metrics are wired here, and
// the admin listener is served. It speaks no FTP itself (gateway/ftp does) and maps no path
// (gateway/vfs does).
//
// Its central type is [Gateway].
package gateway
