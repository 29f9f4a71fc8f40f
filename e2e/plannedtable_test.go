//go:build e2e

package e2e

// difference is a command to which planned gateways answer otherwise than originals.
type difference struct {
	of          []string // names of originals
	command     string   // with its number, where it is said again
	there, here string
	why         string // ours is right
}

// differences are all of them.
func differences() []difference {
	const (
		noTLS          = "RFC 2228 §3: 502 where no security is there at all; the command is known, and wants no login"
		options        = "RFC 2389 §4: 501 for options that there are not"
		superfluous    = "RFC 959 §5.4: 202, since the account needs no more than a password; clients that send ACCT stop at a refusal"
		siteParameter  = "RFC 959 §4.2.2: 504, the command is known and its parameter is not"
		syntax         = "RFC 959 §4.2.2: 501, an argument that is none; to take it for another moves what nobody asked for"
		missing        = "550, there is no such thing (RFC 959 §5.4); a client that mirrors would take an empty listing for one of a directory that was emptied, and 450 for a matter of time"
		dots           = "names show unless hide: says not, and . and .. are no names of files"
		statDirectory  = "RFC 959 §5.4 has both; 213 is what vsftpd and Pure-FTPd say"
		goOn           = "S14: an upload that was cut off goes on, whoever sends it; ProFTPD keeps it from all unless AllowStoreRestart is on"
		follows        = "follows from another row"
		parents        = "S2: a directory that is not there is made; devices count on it"
		refused        = "RFC 959 §5.4: the refusal of a name for STOR, STOU and APPE is 553; 550 is none of their replies"
		between        = "RFC 959 §4.1.3: RNTO comes right behind RNFR"
		setTime        = "times can be set and read by all three ways that clients know (S24), here with or without the right"
		bounce         = "RFC 2577 §3: 504 for what would have the server reach others, or their services"
		argument       = "RFC 959 §5.4: 501, the argument is missing"
		anew           = "RFC 959 §4.1.1: USER begins a login anew at any time, and its password is asked for"
		open           = "RFC 959 §5.4: not among what 530 refuses; it tells nothing, and clients ask before they log in"
		unrecognised   = "RFC 959 §4.2.2: 500, also before the login: it would not be known after it either"
		parameter      = "RFC 959 §5.4: 504, TYPE is known and EBCDIC is not done"
		noted          = "RFC 959 §5.4 has both; allo: enforce makes something of it, so that it is not superfluous"
		chmod          = "without rights to write vsftpd knows no SITE CHMOD; here it is noted and does nothing, since devices stop at a refusal"
		facts          = "RFC 3659 §7; vsftpd does not speak it"
		noSource       = "RFC 959 §5.4: 503, there was no RNFR that was taken"
		protocol       = "RFC 2428 §2: 522 for another network protocol"
		nothingRuns    = "RFC 959 §4.1.3: 226, the abort is done; 225 is no reply of ABOR that clients wait for where nothing runs"
		cut            = "S14: what is sent from n on is the end of the file; vsftpd leaves the tail of the old one behind it"
		sequence       = "RFC 959 §5.4: 503, PASS without USER"
		utf8           = "names are UTF-8, so it may be switched on; clients that send it get what they asked for"
		notImplemented = "RFC 959 §5.4: 502, SMNT is known and not done"
		pattern        = "RFC 959 §4.1.3 leaves patterns to the server; scripts use mget, and the others know it"
	)
	both := []string{"vsftpd", writing}
	writers := []string{writing, "proftpd", "pure-ftpd"}
	all := append([]string{"vsftpd"}, writers...)
	return []difference{
		{[]string{"proftpd", "pure-ftpd"}, "AUTH TLS", "500", "502", noTLS},
		{both, "AUTH TLS", "530", "502", noTLS},
		{[]string{"proftpd"}, "OPTS NONSENSE", "500", "501", options},
		{[]string{"pure-ftpd"}, "OPTS NONSENSE", "504", "501", options},
		{[]string{"vsftpd", writing, "proftpd"}, "ACCT x", "502", "202", superfluous},
		{all, "SITE NONSENSE", "500", "504", siteParameter},
		{[]string{"proftpd", "pure-ftpd"}, "EPSV ALL x", "229", "501", syntax},
		{both, "REST x", "350", "501", syntax},
		{both, "EPSV ALL x", "522", "501", syntax},
		{both, "PORT 1,2,3", "500", "501", syntax},
		{[]string{"pure-ftpd"}, "REST x", "554", "501", syntax},
		{[]string{"proftpd"}, "LIST none", "150 450", "550", missing},
		{[]string{"proftpd"}, "NLST none", "450", "550", missing},
		{[]string{"proftpd"}, "STAT none", "450", "550", missing},
		{[]string{"vsftpd", writing, "pure-ftpd"}, "LIST none", "150 226", "550", missing},
		{both, "NLST none", "150 226 []", "550", missing},
		{[]string{"vsftpd", writing, "pure-ftpd"}, "STAT none", "213", "550", missing},
		{[]string{"vsftpd", writing, "proftpd"}, "NLST", "150 226 [a.txt d e with_space.txt]", "150 226 [.hidden a.txt d e with_space.txt]", dots},
		{[]string{"pure-ftpd"}, "NLST", "150 226 [. .. .hidden a.txt d e with_space.txt]", "150 226 [.hidden a.txt d e with_space.txt]", dots},
		{[]string{"pure-ftpd"}, "NLST d", "150 226 [d/. d/.. d/b.txt]", "150 226 [d/b.txt]", dots},
		{[]string{"pure-ftpd"}, "NLST e", "150 226 [e/. e/..]", "150 226 []", dots},
		{[]string{"proftpd"}, "STAT d", "212", "213", statDirectory},
		{[]string{"proftpd"}, "APPE new.txt <- three\n", "451", "150 226", goOn},
		{[]string{"proftpd"}, "STOR new.txt <- 3\n", "451", "150 226", goOn},
		{[]string{"proftpd"}, "RETR new.txt", "150 226 \"two\\n\"", "150 226 \"two\\nthree\\n\"", follows},
		{[]string{"proftpd"}, "RETR new.txt (2)", "150 226 \"two\\n\"", "150 226 \"two\\n3\\n\"", follows},
		{writers, "DELE nowhere/x.txt", "550", "250", follows},
		{writers, "RMD nowhere", "550", "250", follows},
		{writers, "RMD nowhere/x", "550", "250", follows},
		{writers, "RMD nowhere (2)", "550", "250", follows},
		{writers, "RNFR nowhere/x", "550", "350", follows},
		{writers, "RNTO d/c.txt", "503", "250", follows},
		{writers, "RMD nowhere (3)", "550", "250", follows},
		{writers, "DELE new2.txt", "550", "250", follows},
		{writers, "DELE new3.txt", "250", "550", follows},
		{[]string{"proftpd"}, "STOR nowhere/x.txt <- y", "550", "150 226", parents},
		{writers, "MKD nowhere/x", "550", "257", parents},
		{[]string{writing, "proftpd"}, "RNTO nowhere/x", "550", "250", parents},
		{[]string{writing, "pure-ftpd"}, "STOR nowhere/x.txt <- y", "553", "150 226", parents},
		{[]string{"pure-ftpd"}, "RNTO nowhere/x", "451", "250", parents},
		{[]string{"vsftpd", "proftpd"}, "STOR d <- y", "550", "553", refused},
		{[]string{"vsftpd"}, "STOR new.txt <- one\n", "550", "553", refused},
		{[]string{"vsftpd"}, "STOR new.txt <- two\n", "550", "553", refused},
		{[]string{"vsftpd"}, "APPE new.txt <- three\n", "550", "553", refused},
		{[]string{"vsftpd"}, "APPE app.txt <- four\n", "550", "553", refused},
		{[]string{"vsftpd"}, "STOR new.txt <- 3\n", "550", "553", refused},
		{[]string{"vsftpd"}, "STOR nowhere/x.txt <- y", "550", "553", refused},
		{[]string{"vsftpd"}, "STOR d/c.txt <- c", "550", "553", refused},
		{[]string{"vsftpd"}, "STOR empty.txt <- ", "550", "553", refused},
		{[]string{"vsftpd"}, "STOU <- u", "550", "553", refused},
		{writers, "RNTO new3.txt", "250", "503", between},
		{[]string{"proftpd", "pure-ftpd"}, "MDTM 20200102030405 a.txt", "550", "213", setTime},
		{[]string{"vsftpd"}, "MFMT 20200102030405 a.txt", "500", "550", setTime},
		{[]string{writing}, "MFMT 20200102030405 a.txt", "500", "213", setTime},
		{[]string{"vsftpd", writing, "proftpd"}, "PORT 127,0,0,1,0,1", "500", "504", bounce},
		{all, "PORT 192,0,2,1,9,9", "500", "504", bounce},
		{[]string{"pure-ftpd"}, "PORT 127,0,0,1,0,1", "501", "504", bounce},
		{[]string{"proftpd"}, "RETR", "500", "501", argument},
		{both, "SIZE", "550", "501", argument},
		{both, "RETR", "425", "501", argument},
		{both, "CWD", "550", "501", argument},
		{[]string{"pure-ftpd"}, "CWD", "250", "501", argument},
		{[]string{"proftpd"}, "USER joe (3)", "230", "331", anew},
		{[]string{"pure-ftpd"}, "USER joe (3)", "530", "331", anew},
		{both, "NOOP", "530", "200", open},
		{both, "SYST", "530", "215", open},
		{both, "HELP", "530", "214", open},
		{[]string{"vsftpd", writing, "pure-ftpd"}, "NONSENSE", "530", "500", unrecognised},
		{both, "TYPE E", "500", "504", parameter},
		{both, "ALLO 10", "202", "200", noted},
		{[]string{"vsftpd"}, "SITE CHMOD 600 a.txt", "500", "200", chmod},
		{both, "MLST a.txt", "500", "250", facts},
		{both, "MLST none", "500", "550", facts},
		{both, "MLSD", "500", "150 226", facts},
		{both, "MLSD none", "500", "550", facts},
		{[]string{"vsftpd"}, "RNTO new2.txt", "550", "503", noSource},
		{[]string{"vsftpd"}, "RNTO y", "550", "503", noSource},
		{[]string{"vsftpd"}, "RNTO nowhere/x", "550", "503", noSource},
		{[]string{"vsftpd"}, "RNTO d/c.txt", "550", "503", noSource},
		{[]string{"vsftpd"}, "RNTO d2", "550", "503", noSource},
		{[]string{"vsftpd"}, "RNTO new2.txt (2)", "550", "503", noSource},
		{[]string{"vsftpd"}, "RNTO new3.txt", "550", "503", noSource},
		{both, "EPRT |3|x|1|", "500", "522", protocol},
		{both, "ABOR", "225", "226", nothingRuns},
		{[]string{writing}, "RETR new.txt (2)", "150 226 \"two\\n3\\nree\\n\"", "150 226 \"two\\n3\\n\"", cut},
		{[]string{"pure-ftpd"}, "PASS early", "530", "503", sequence},
		{[]string{"pure-ftpd"}, "OPTS UTF8 ON", "504", "200", utf8},
		{[]string{"pure-ftpd"}, "SMNT /", "500", "502", notImplemented},
		{[]string{"pure-ftpd"}, "NLST *.txt", "550", "150 226 [a.txt with_space.txt]", pattern},
	}
}
