package plan

import "strings"

// proftpdFate is what becomes of a directive that has no place here.
func proftpdFate(name string) fate {
	name = strings.ToLower(name)
	if f, ok := proftpdFates()[name]; ok {
		return f
	}
	for _, m := range proftpdModules() {
		if strings.HasPrefix(name, m.prefix) {
			return fate{m.same, m.why}
		}
	}
	return fate{"", "is unknown: ProFTPD's list of directives has none of the name"}
}

// proftpdModules are the directives of modules that do one thing each, by how they begin;
// with the value in same the module does nothing.
func proftpdModules() []struct{ prefix, same, why string } {
	const notOurs = "the module has no counterpart"
	return []struct{ prefix, same, why string }{
		{"sql", "off", "accounts in a database are asked for with accounts: [{sql: …}]; see configs/examples/sql.yaml"},
		{"ldap", "off", "accounts in a directory are asked for with accounts: [{ldap: …}]; see configs/examples/ldap.yaml"},
		{"radius", "off", "RADIUS is not asked here; a service of yours can with accounts: [{http: …}], and learn: takes passwords over one by one"},
		{"sftp", "off", "SFTP is not spoken here: leave it to OpenSSH"},
		{"quota", "off", "quota: {bytes: …, files: …} in a mount bounds what is below its prefix"},
		{"ban", "off", "guard: bans who guesses passwords"},
		{"delay", "on", "guard: delays the answers to wrong passwords"},
		{"controls", "off", "ftpdctl has no counterpart: SIGHUP reads the configuration again, admin: shows metrics"},
		{"admincontrols", "off", "ftpdctl has no counterpart: SIGHUP reads the configuration again, admin: shows metrics"},
		{"tls", "off", "is about how TLS is done, and Go's crypto/tls does that here; clients' certificates are asked for with accounts: [{certificate: …}]"},
		{"wrap", "off", "networks: of an account or template says from where it may come"},
		{"tcp", "", "networks: of an account or template says from where it may come; what TCP does is the system's"},
		{"geoip", "off", "networks: of an account or template says from where it may come"},
		{"dnsbl", "off", "networks: of an account or template says from where it may come"},
		{"shaper", "off", "limits: {upload_rate: …, download_rate: …} bound all accounts together, per_account each"},
		{"exec", "off", "no programs are started here; the store's own events can start them"},
		{"rewrite", "off", "names are taken as clients send them"},
		{"digest", "off", "HASH, XCRC, XMD5 and the like are answered always"},
		{"snmp", "off", "admin: has metrics for Prometheus"},
		{"forensiclog", "off", "log: {level: debug} shows the commands"},
		{"memcache", "off", notOurs},
		{"redis", "off", notOurs},
		{"radiuslog", "", notOurs},
		{"statcache", "off", "cache: remembers what the store said"},
		{"copy", "off", "SITE COPY is refused"},
		{"deflate", "off", "MODE Z is refused"},
		{"facl", "off", "files in a store have no owners and modes"},
		{"capabilities", "on", "the gateway keeps no rights of root; configs/causeway.service gives it none"},
		{"rlimit", "", "what the process may use is the system's to say: see configs/causeway.service"},
		{"authotp", "off", "one-time passwords are not known here"},
		{"ratio", "off", "ratios of uploads to downloads are not kept"},
		{"lang", "off", "answers are in English, names in UTF-8 or the charset: of an account"},
		{"moduleorder", "", notOurs},
		{"module", "*", ""},
		{"scoreboard", "", "is about the old server's processes, and needs no counterpart"},
		{"trace", "", "log: {level: debug} shows the commands"},
		{"dynmasq", "", "passive: {address: …} is one address; by_client: has others for some networks"},
		{"load", "*", ""},
		{"define", "", "is not looked at"},
		{"uniqueid", "off", "each session has an id of its own in the log"},
		{"sitemisc", "off", "of SITE's words UTIME is known here; SITE HELP lists them"},
	}
}

// proftpdFates are directives with an answer of their own.
func proftpdFates() map[string]fate { //nolint:funlen // a table
	const (
		system   = "is about the old server's processes, and needs no counterpart"
		owners   = "files in a store have no owners and modes"
		greeting = "texts for clients are fixed here, so that they tell nothing of the machine"
		people   = "disable who must not come, with `causeway user disable`; the rest is said by the account and its template"
		logs     = "the log goes to standard error, and lines of transfers and deletions to audit:"
		listings = "listings are as of ls -l, or as a template's listing: says"
		filters  = "which commands have what in them is not filtered: names are judged by hide: and deny: in a mount"
		guessing = "guard: slows guessers down and bans them"
		trust    = "data connections are made with the client's own address alone"
		passwd   = "passwords come along with `user import`, or by learn: from the old server"
		resume   = "what was cut off is kept and can be resumed by who may write; incomplete: discard in a template turns it off"
	)
	return map[string]fate{
		"accessdenymsg":           {"", greeting},
		"accessgrantmsg":          {"", greeting},
		"allowchrootsymlinks":     {"", "links are not followed out of a store"},
		"allowclass":              {"", people},
		"allowgroup":              {"", people},
		"allowuser":               {"", people},
		"denyclass":               {"", people},
		"denygroup":               {"", people},
		"denyuser":                {"", people},
		"allow":                   {"", people},
		"allowall":                {"*", ""},
		"deny":                    {"", people},
		"denyall":                 {"", people},
		"order":                   {"*", ""},
		"allowemptypasswords":     {"off", "an account without a password does not log in here"},
		"allowfilter":             {"", filters},
		"denyfilter":              {"", filters},
		"pathallowfilter":         {"none", "which names may be written is said by deny: in a mount, not by what is allowed"},
		"allowforeignaddress":     {"off", trust},
		"allowlogsymlinks":        {"off", logs},
		"allowoverride":           {"off", ".ftpaccess files are not read: they are files like others"},
		"allowretrieverestart":    {"on", "REST with RETR is done always"},
		"allowstorerestart":       {"on", resume},
		"anonallowrobots":         {"", "robots.txt is a file like others"},
		"anonrejectpasswords":     {"", "anonymous passwords are not looked at"},
		"anonrequirepassword":     {"off", "anonymous passwords are not looked at: make an account"},
		"authaliasonly":           {"off", "an account has one name"},
		"authusingalias":          {"off", "an account has one name"},
		"authfileoptions":         {"", passwd},
		"authgroupfile":           {"", "groups are not carried over; what an account may do is said by its template"},
		"authorder":               {"", passwd},
		"authpam":                 {"off", passwd},
		"authpamconfig":           {"", passwd},
		"authpamoptions":          {"", passwd},
		"authunixoptions":         {"", passwd},
		"persistentpasswd":        {"*", ""},
		"usehostsallowfile":       {"", people},
		"useftpusers":             {"off", "/etc/ftpusers is not read: do not import whom it names"},
		"commandbuffersize":       {"", "lines of commands are bounded always"},
		"createhome":              {"off", "directories need not be there before a file is written into them"},
		"rewritehome":             {"off", "`user import --home-strip` says what of the homes is taken"},
		"debuglevel":              {"0", "log: {level: debug} shows more"},
		"defaultchdir":            {"~ /", "a session begins in the root of its mounts"},
		"defaultserver":           {"*", ""},
		"defaulttransfermode":     {"binary", "a session begins in TYPE A, as RFC 959 has it"},
		"dirfakegroup":            {"", "listings show no owners of the machine"},
		"dirfakeuser":             {"", "listings show no owners of the machine"},
		"dirfakemode":             {"", "listings show the account's rights"},
		"deferwelcome":            {"off", greeting},
		"displaychdir":            {"", greeting},
		"displayconnect":          {"", greeting},
		"displaylogin":            {"", greeting},
		"displayquit":             {"", greeting},
		"displayreadme":           {"", greeting},
		"extendedlog":             {"", logs},
		"logformat":               {"", logs},
		"logoptions":              {"", logs},
		"factsadvertise":          {"on", "MLST and MLSD are done always"},
		"factsoptions":            {"", "MLST and MLSD are as RFC 3659 has them"},
		"fsoptions":               {"", owners},
		"fscachepolicy":           {"", "cache: remembers what the store said"},
		"group":                   {"", "is the system's group of the old server: the gateway has one of its own"},
		"groupowner":              {"", owners},
		"userowner":               {"", owners},
		"umask":                   {"", owners},
		"hiddenstores":            {"on", "an upload never shows under its name before it is whole, whatever this says"},
		"hidegroup":               {"", owners},
		"hideuser":                {"", owners},
		"hidenoaccess":            {"", owners},
		"ignorehidden":            {"off", "what hide: hides is not there for any command, as with on"},
		"identlookups":            {"off", "ident is not asked"},
		"includeoptions":          {"*", ""},
		"listoptions":             {"-l", listings},
		"liststyle":               {"unix", listings},
		"maxclientsperclass":      {"", "limits: {sessions: …} of a template bounds its accounts each"},
		"maxcommandrate":          {"", "limits: {commands_per_second: …} bounds an account"},
		"maxconnectionrate":       {"", guessing},
		"maxhostsperuser":         {"", "limits: {sessions: …} bounds an account"},
		"maxloginattempts":        {"", guessing + "; a session ends after some failures of its own"},
		"maxpasswordsize":         {"", "passwords are bounded always"},
		"maxretrievefilesize":     {"*", "files of any size are read"},
		"maxtransfersperhost":     {"", "limits: {sessions_per_address: …} bounds an address"},
		"multilinerfc2228":        {"off", "replies are as RFC 959 has them"},
		"pidfile":                 {"", system},
		"processtitles":           {"", system},
		"protocols":               {"", "FTP and FTPS are all that is spoken"},
		"qosoptions":              {"", "what TCP does is the system's"},
		"regexoptions":            {"*", ""},
		"requirevalidshell":       {"off", "shells are not looked at: disable who must not come, with `causeway user disable`"},
		"rootlogin":               {"off", "root is not imported"},
		"rootrevoke":              {"*", ""},
		"serveradmin":             {"", greeting},
		"serveralias":             {"", "HOST chooses nothing: accounts are those of all listeners"},
		"serverident":             {"off", greeting},
		"servername":              {"", greeting},
		"serverlog":               {"none", logs},
		"systemlog":               {"none", logs},
		"syslogfacility":          {"", logs},
		"sysloglevel":             {"", logs},
		"wtmplog":                 {"off", logs},
		"uselastlog":              {"off", logs},
		"setenv":                  {"", system},
		"unsetenv":                {"", system},
		"showsymlinks":            {"*", ""},
		"socketbindtight":         {"*", ""},
		"socketoptions":           {"", "what TCP does is the system's"},
		"storeuniqueprefix":       {"", "STOU chooses names of its own"},
		"timeoutlinger":           {"*", ""},
		"timeoutnotransfer":       {"", "limits: {idle_timeout: …} bounds sessions that do nothing"},
		"timeoutsession":          {"", "sessions may last while they do something"},
		"timesgmt":                {"on", "times are UTC here, in listings and for MDTM (RFC 3659); clients that took them as local see them shifted"},
		"transferoptions":         {"", "is about broken clients; a profile: may help one"},
		"useencoding":             {"utf-8 on", "charset: in an account or template is that of its clients' names"},
		"useglobbing":             {"on", "patterns in LIST and NLST are read within one directory"},
		"usereversedns":           {"off", "addresses are not looked up"},
		"usesendfile":             {"*", ""},
		"userpassword":            {"", "is a password: give the account one with `causeway user add`"},
		"fileratioerrmsg":         {"", greeting},
		"byteratioerrmsg":         {"", greeting},
		"leechratiomsg":           {"", greeting},
		"cwdratiomsg":             {"", greeting},
		"anonratio":               {"", "ratios of uploads to downloads are not kept"},
		"userratio":               {"", "ratios of uploads to downloads are not kept"},
		"groupratio":              {"", "ratios of uploads to downloads are not kept"},
		"hostratio":               {"", "ratios of uploads to downloads are not kept"},
		"saveratios":              {"off", "ratios of uploads to downloads are not kept"},
		"loadmodule":              {"*", ""},
		"maxload":                 {"none", "is about the old server's machine"},
		"tlscertificatechainfile": {"", "append it to the certificate's file: the server's own first, then this"},
		"tlsverifyclient":         {"off", "clients' certificates are asked for with accounts: [{certificate: …}]; see configs/examples/certificates.yaml"},
		"tlscacertificatefile":    {"", "clients' certificates are asked for with accounts: [{certificate: …}]; see configs/examples/certificates.yaml"},
		"tlsrenegotiate":          {"none off", "TLS is not renegotiated here"},
		"tlsmasqueradeaddress":    {"", "passive: {address: …} is for all"},
		"tlsdsacertificatefile":   {"", "DSA certificates are not served: name an RSA or ECDSA one"},
		"tlspkcs12file":           {"", "write certificate and key as PEM: openssl pkcs12 -nodes"},
		"user":                    {"*", ""},
	}
}
