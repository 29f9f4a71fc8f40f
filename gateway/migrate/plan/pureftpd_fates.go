package plan

// pureFates are the options of pure-ftpd(8); those without a reason are taken, or change
// nothing that a client could notice.
func pureFates() map[string]fate { //nolint:funlen // a table
	const (
		system   = "is about the old server's processes, and needs no counterpart"
		owners   = "files in a store have no owners and modes"
		greeting = "texts for clients are fixed here, so that they tell nothing of the machine"
		trust    = "data connections are made with the client's own address alone: FXP is refused"
		logs     = "the log goes to standard error, and lines of transfers to audit:"
		ratios   = "ratios of uploads to downloads are not kept"
	)
	return map[string]fate{
		"notruncate":                 {"yes", "an upload never shows under its name before it is whole, whatever this says"},
		"logpid":                     {"no", logs},
		"certfile":                   {"*", ""},
		"certfileandkey":             {"*", ""},
		"extcert":                    {"", "certificates come from files: tls: {certificate: …, key: …}"},
		"ipv4only":                   {"*", ""},
		"ipv6only":                   {"no", "\":21\" listens on IPv4 and IPv6; write a listener with an IPv6 address to listen on that alone"},
		"trustedgid":                 {"*", ""},
		"chrooteveryone":             {"*", ""},
		"brokenclientscompatibility": {"no", "what a device needs says a profile: of its account"},
		"daemonize":                  {"", system},
		"maxclientsnumber":           {"*", ""},
		"maxclientsperip":            {"*", ""},
		"verboselog":                 {"no", "log: {level: debug} shows the commands"},
		"displaydotfiles":            {"yes", "files whose names begin with a dot show always; hide: [\".*\"] in a mount hides them"},
		"anonymousonly":              {"*", ""},
		"noanonymous":                {"*", ""},
		"syslogfacility":             {"", logs},
		"fortunesfile":               {"", greeting},
		"pidfile":                    {"", system},
		"norename":                   {"*", ""},
		"dontresolve":                {"yes", "addresses are not looked up"},
		"anonymouscantupload":        {"*", ""},
		"maxidletime":                {"*", ""},
		"createhomedir":              {"no", "directories need not be there before a file is written into them"},
		"tlsciphersuite":             {"high", "ciphers: modern in an account or template is the choice that there is; with -C: before it clients' certificates were asked for, as accounts: [{certificate: …}] does"},
		"maxdiskusage":               {"", "quota: {bytes: …} in a mount bounds what is below its prefix"},
		"keepallfiles":               {"*", ""},
		"limitrecursion":             {"", "listings are of one directory, and whole, however many names it has"},
		"maxload":                    {"", "is about the old server's machine"},
		"anonymouscancreatedirs":     {"no", "anonymous clients only list and read here"},
		"quota":                      {"*", ""},
		"natmode":                    {"no", "PASV and EPSV are offered always; passive: {address: …} is the address to announce behind NAT"},
		"calluploadscript":           {"no", "no programs are started here; the store's own events can start them"},
		"altlog":                     {"*", ""},
		"passiveportrange":           {"*", ""},
		"forcepassiveip":             {"*", ""},
		"anonymousratio":             {"", ratios},
		"userratio":                  {"", ratios},
		"autorename":                 {"*", ""},
		"nochmod":                    {"yes", "SITE CHMOD is answered and does nothing: " + owners},
		"antiwarez":                  {"", "what anonymous clients must not see is not to be mounted for them; " + owners},
		"bind":                       {"*", ""},
		"anonymousbandwidth":         {"*", ""},
		"userbandwidth":              {"*", ""},
		"minuid":                     {"", "do not import whom it kept out: system accounts have user numbers below it"},
		"umask":                      {"", owners},
		"bonjour":                    {"", "is not announced"},
		"trustedip":                  {"", "networks: of an account or template says from where it may come"},
		"allowuserfxp":               {"no", trust},
		"allowanonymousfxp":          {"no", trust},
		"prohibitdotfileswrite":      {"*", ""},
		"prohibitdotfilesread":       {"*", ""},
		"peruserlimits":              {"*", ""},
		"tls":                        {"*", ""},
		"allowdotfiles":              {"*", ""},
		"customerproof":              {"", owners},
		"fscharset":                  {"utf-8", "names are UTF-8 here, or of the charset: of an account"},
		"clientcharset":              {"utf-8", "charset: in an account or template is that of its clients' names"},
	}
}
