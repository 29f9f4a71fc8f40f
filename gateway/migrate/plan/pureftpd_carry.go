package plan

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// yes tells whether an option is on.
func (r *pureftpd) yes(name string) bool {
	d, ok := r.by[strings.ToLower(name)]
	return ok && on(d)
}

// numbers are those of an option, which a colon or blanks part.
func (r *pureftpd) numbers(name string) (d directive, numbers []int) {
	d, ok := r.by[strings.ToLower(name)]
	if !ok {
		return d, nil
	}
	for _, word := range strings.FieldsFunc(d.value(), func(c rune) bool { return c == ':' || c == ' ' }) {
		n, ok := number(word)
		if !ok {
			r.note(d, "is not of numbers")
			return d, nil
		}
		numbers = append(numbers, n)
	}
	return d, numbers
}

// carry takes all that has a place here.
func (r *pureftpd) carry() {
	r.bind()
	if d, ok := r.by["passiveportrange"]; ok {
		first, last, _ := strings.Cut(strings.ReplaceAll(d.value(), " ", ":"), ":")
		r.setPorts(d, first, last)
	}
	if d, ok := r.by["forcepassiveip"]; ok {
		r.setMasquerade(d, d.value())
	}
	r.secure()
	r.bounds()
	r.who()
	r.rights()
	if d, ok := r.by["altlog"]; ok {
		format, _, _ := strings.Cut(d.value(), ":")
		if r.audit = "xferlog"; format != "xferlog" {
			r.audit = "json"
			r.note(d, "%s is no format here: the lines are JSON, or xferlog", brief(format))
		}
	}
}

// bind takes Bind ADDRESS,PORT.
func (r *pureftpd) bind() {
	l := listener{port: 21, from: "the default"}
	if r.yes("IPV4Only") {
		l.host = "0.0.0.0"
	}
	if d, ok := r.by["bind"]; ok {
		l.from = "Bind"
		host, number, comma := strings.Cut(d.value(), ",")
		if !comma {
			host, number = "", host
		}
		n, isPort := port(number)
		addr, err := netip.ParseAddr(host)
		switch {
		case !isPort || host != "" && err != nil:
			r.note(d, "names of hosts and services are not looked up: write the listener with an address and a number")
		case host != "":
			l.host, l.port = addr.String(), n
		default:
			l.port = n
		}
	}
	r.listeners = append(r.listeners, l)
}

// secure takes TLS and the files of certificate and key.
func (r *pureftpd) secure() {
	d, level := r.numbers("TLS")
	if len(level) == 0 || level[0] == 0 {
		return
	}
	r.tls = tlsSettings{certificate: "/etc/ssl/private/pure-ftpd.pem", required: level[0] >= 2, minVersion: "1.2"}
	if level[0] == 2 {
		r.note(d, "TLS was required for passwords and not for files; here tls: {required: true}, which was written, is for both: files in clear are refused")
	}
	if c, ok := r.by["certfile"]; ok {
		r.tls.certificate, r.tls.key, _ = strings.Cut(c.arg(0), ",")
	}
	if c, ok := r.by["certfileandkey"]; ok {
		r.tls.certificate, r.tls.key = c.arg(0), c.arg(1)
	}
	if r.tls.key == "" {
		r.tls.key = r.tls.certificate
	}
}

// bounds are limits and times.
func (r *pureftpd) bounds() {
	for name, to := range map[string]*int{"MaxClientsNumber": &r.limits.sessions, "MaxClientsPerIP": &r.limits.perAddress} {
		if _, n := r.numbers(name); len(n) > 0 {
			*to = n[0]
		}
	}
	if _, n := r.numbers("MaxIdleTime"); len(n) > 0 && n[0] <= maxSeconds/60 {
		r.limits.idle = time.Duration(n[0]) * time.Minute
	}
	if _, n := r.numbers("PerUserLimits"); len(n) > 1 {
		r.perAccount.sessions, r.Plan.anonymous.sessions = n[0], n[1]
	}
	if d, n := r.numbers("Quota"); len(n) > 1 {
		r.accounts.files, r.accounts.megabytes = n[0], n[1]
		if r.accounts.megabytes > 1<<30 {
			r.accounts.megabytes = 0
			r.note(d, "is too large for a quota")
		}
	}
	r.bandwidth("AnonymousBandwidth", nil, &r.Plan.anonymous.rate)
	r.bandwidth("UserBandwidth", &r.perAccount.up, &r.perAccount.down)
}

// bandwidth takes KILOBYTES or UP:DOWN, a second.
func (r *pureftpd) bandwidth(name string, up, down *int) {
	d, ok := r.by[strings.ToLower(name)]
	if !ok {
		return
	}
	first, second, two := strings.Cut(strings.ReplaceAll(d.value(), " ", ":"), ":")
	if !two {
		second = first
	}
	if second != "" {
		r.rate(d, second, 1<<10, down)
	}
	if up != nil && first != "" {
		r.rate(d, first, 1<<10, up)
	}
	if up != nil {
		r.note(d, "is carried over for all sessions of an account together; there it was for each")
	}
}

// who says who may come.
func (r *pureftpd) who() {
	if !r.yes("NoAnonymous") {
		r.Plan.anonymous.root = "/srv/ftp" // the home of Debian's user ftp
		if d, ok := r.by["anonymouscantupload"]; ok && !on(d) {
			r.note(d, "anonymous clients only list and read here; give who uploads an account with the right to write")
		}
		if !r.yes("AllowDotFiles") {
			r.Plan.anonymous.hide = append(r.Plan.anonymous.hide, ".*")
		}
	}
	a := &r.accounts
	a.on = !r.yes("AnonymousOnly")
	puredb := false
	for _, d := range r.login {
		if !r.asked(d) {
			continue
		}
		switch strings.ToLower(d.name) {
		case "puredb":
			puredb = true
			a.from = "pureftpd"
			a.imports = append(a.imports, strings.TrimSuffix(d.arg(0), path.Ext(d.arg(0)))+".passwd")
		case "unixauthentication", "pamauthentication":
			if !puredb {
				a.from, a.imports = "passwd+shadow", []string{"/etc/passwd", "/etc/shadow"}
			} else {
				r.note(d, "system users log in, too: import them with --from passwd+shadow /etc/passwd /etc/shadow, or learn: them")
			}
		default:
			r.note(d, "accounts in a database, a directory or another program are asked for with accounts: [{sql: …}], [{ldap: …}] or [{http: …}]")
		}
	}
	a.free = !r.yes("ChrootEveryone") && !(puredb && len(a.imports) == 1)
}

// asked tells whether a way to log in is used: a file of Debian's counts where a link in
// auth leads to it.
func (r *pureftpd) asked(d directive) bool {
	if strings.EqualFold(d.value(), "no") || strings.EqualFold(d.value(), "off") || d.value() == "0" {
		return false
	}
	return r.links == nil || slices.Contains(r.links, d.name)
}

// rights are what accounts may do.
func (r *pureftpd) rights() {
	a := &r.accounts
	if r.yes("KeepAllFiles") {
		a.rights.take("delete", "overwrite")
	}
	if r.yes("NoRename") {
		a.rights.take("rename")
	}
	if r.yes("AutoRename") {
		a.overwrite = "keep_both"
	}
	if r.yes("ProhibitDotFilesWrite") {
		a.deny = append(a.deny, ".*")
	}
	if d, ok := r.by["prohibitdotfilesread"]; ok && on(d) {
		a.hide = append(a.hide, ".*")
		r.note(d, "is carried over as hide: what could not be read does not show here either")
	}
	if d, n := r.numbers("TrustedGID"); len(n) > 0 {
		a.free = false
		r.note(d, "members of group %s saw all files: give them a template of their own", strconv.Itoa(n[0]))
	}
}

// pureOption is an option of pure-ftpd(8).
type pureOption struct {
	short    byte
	name     string // in a configuration
	argument bool
	long     string // "" is the name in lower case
}

func pureOptions() []pureOption {
	return []pureOption{
		{'0', "NoTruncate", false, ""}, {'1', "LogPID", false, ""}, {'2', "CertFile", true, ""}, {'3', "ExtCert", true, ""},
		{'4', "IPV4Only", false, ""}, {'6', "IPV6Only", false, ""}, {'a', "TrustedGID", true, ""}, {'A', "ChrootEveryone", false, ""},
		{'b', "BrokenClientsCompatibility", false, ""}, {'B', "Daemonize", false, ""}, {'c', "MaxClientsNumber", true, ""}, {'C', "MaxClientsPerIP", true, ""},
		{'d', "VerboseLog", false, ""}, {'D', "DisplayDotFiles", false, ""}, {'e', "AnonymousOnly", false, ""}, {'E', "NoAnonymous", false, ""},
		{'f', "SyslogFacility", true, ""}, {'F', "FortunesFile", true, ""}, {'g', "PIDFile", true, ""}, {'G', "NoRename", false, ""},
		{'H', "DontResolve", false, ""}, {'i', "AnonymousCantUpload", false, ""}, {'I', "MaxIdleTime", true, ""}, {'j', "CreateHomeDir", false, ""},
		{'J', "TLSCipherSuite", true, ""}, {'k', "MaxDiskUsage", true, "maxdiskusagepct"}, {'K', "KeepAllFiles", false, ""}, {'l', "Login", true, ""},
		{'L', "LimitRecursion", true, ""}, {'m', "MaxLoad", true, ""}, {'M', "AnonymousCanCreateDirs", false, ""}, {'n', "Quota", true, ""},
		{'N', "NATmode", false, ""}, {'o', "CallUploadScript", false, "uploadscript"}, {'O', "AltLog", true, ""}, {'p', "PassivePortRange", true, ""},
		{'P', "ForcePassiveIP", true, ""}, {'q', "AnonymousRatio", true, ""}, {'Q', "UserRatio", true, ""}, {'r', "AutoRename", false, ""},
		{'R', "NoChmod", false, ""}, {'s', "AntiWarez", false, ""}, {'S', "Bind", true, ""}, {'t', "AnonymousBandwidth", true, ""},
		{'T', "UserBandwidth", true, ""}, {'u', "MinUID", true, ""}, {'U', "Umask", true, ""}, {'v', "Bonjour", true, ""},
		{'V', "TrustedIP", true, ""}, {'w', "AllowUserFXP", false, ""}, {'W', "AllowAnonymousFXP", false, ""}, {'x', "ProhibitDotFilesWrite", false, ""},
		{'X', "ProhibitDotFilesRead", false, ""}, {'y', "PerUserLimits", true, ""}, {'Y', "TLS", true, ""}, {'z', "AllowDotFiles", false, ""},
		{'Z', "CustomerProof", false, ""},
	}
}
