// Package ftp is the protocol engine: it speaks FTP on control and data connections and
// calls an [FS] for the files. It knows no store, no user database and no configuration
// file, and imports the standard library alone.
//
// Its central type is [Server]. A session belongs to one goroutine, which reads commands,
// looks each up in a table of rows, and writes its one final reply; a transfer runs in a
// goroutine beside it. Completeness of an upload is judged in one function.
//
// # What it implements
//
// RFC 959, File Transfer Protocol: USER PASS ACCT (202) CWD CDUP REIN QUIT; PORT PASV TYPE
// (A, I, L 8) STRU (F, R) MODE (S); RETR STOR STOU APPE ALLO REST RNFR RNTO ABOR DELE
// RMD MKD PWD LIST NLST SITE (HELP, CHMOD and UMASK without effect, IDLE, QUOTA, UTIME) SYST STAT
// (session, path, transfer) HELP NOOP. SMNT is refused with 502; TYPE E, STRU P, MODE B and
// C with 504; REST before STOU or APPE with 503. PORT leads to the client's own address and
// to ports from 1024 alone. No upload is complete while the control connection is known to
// have ended without QUIT. What came of an upload that is not complete is kept for REST with
// STOR, or APPE, unless the [Policy] of its place says otherwise; in TYPE A and STRU R only
// where its octets are those that came.
//
// RFC 1123 §4.1, Requirements for Internet Hosts: the minimum set; Telnet codes, also the
// remains of an urgent IP and Synch before ABOR; XCUP XCWD XMKD XPWD XRMD; the form of the
// preliminary reply to STOU; names from NLST as RETR takes them; time-outs of 5 minutes,
// suspended during transfers.
//
// RFC 2228 and 4217, TLS: AUTH (TLS and TLS-C; SSL and TLS-P, which stand for PROT P as
// well), PBSZ, PROT (C, P), implicit TLS; login and parameters are forgotten by AUTH. REIN
// ends the TLS that AUTH has begun; implicit TLS stays. CCC is refused with 534: the login
// would stay without its protection. ADAT, CONF, ENC and MIC, which TLS does not use, are
// unknown.
//
// RFC 2389, Feature negotiation: FEAT, OPTS (UTF8, MLST, HASH).
//
// RFC 2428, IPv6 and NAT: EPRT, EPSV, EPSV ALL.
//
// RFC 2577, Security considerations: no connections to third parties or to ports below
// 1024; random passive ports, for the client's address alone; replies that do not tell
// unknown users; delays and an end after failed logins.
//
// RFC 2640, Internationalization: UTF-8 names, or an account's [Charset] unless the client
// sends OPTS UTF8 ON; LANG (EN).
//
// RFC 3659, Extensions: MDTM, also with a time to set; SIZE (TYPE I, STRU F); REST STREAM
// for RETR (STRU F) and STOR (TYPE I, STRU F); MLST and MLSD with the facts type, size, modify, perm, unique and UNIX.mode,
// without the entries cdir and pdir, which would cost a request each; TVFS.
//
// RFC 7151, HOST.
//
// draft-bryan-ftp-hash: HASH, OPTS HASH (SHA-256, SHA-512, SHA-1, MD5, CRC32), and of its
// older kin XCRC XMD5 XSHA1 XSHA256 XSHA512. draft-bryan-ftp-range: RANG for RETR and HASH.
// draft-somers-ftp-mfxx: MFMT. draft-peterson-streamlined-ftp-command-extensions: AVBL.
// CLNT is in no document.
package ftp
