package plan

import (
	"io/fs"
	"net/netip"
	"strings"
)

// proftpd is a configuration of ProFTPD (its list of directives; the blocks and Include are
// those of mod_core).
type proftpd struct {
	*Plan
	fsys   fs.FS
	blocks []*block
	open   []string // the files that are being read
	files  int

	address   string // DefaultAddress
	port      int
	overwrite bool
	server    bool // TLSEngine of the server itself
	engine    bool // of any
	implicit  bool
	pairs     tlsSettings
	first     *block // <Anonymous> that is carried over
	virtuals  []int  // their listeners
}

func readProFTPD(fsys fs.FS, name string, p *Plan) error {
	r := &proftpd{Plan: p, fsys: fsys, port: 21, open: []string{name}, pairs: tlsSettings{reuse: true, minVersion: "1.2"}}
	p.accounts.on = true
	p.accounts.free = true
	if err := r.parse(name, 0); err != nil {
		return err
	}
	r.finish()
	return nil
}

// finish settles what several directives say together.
func (r *proftpd) finish() {
	if r.port > 0 {
		l := listener{host: r.address, port: r.port, implicit: r.server && r.implicit, from: "Port"}
		r.listeners = append([]listener{l}, r.listeners...)
	}
	if r.engine && r.pairs.certificate != "" {
		if r.pairs.key == "" {
			r.pairs.key = r.pairs.certificate
		}
		r.tls = r.pairs
	}
	if !r.tls.on() {
		for i := range r.listeners {
			r.listeners[i].implicit = false
		}
	}
	if !r.overwrite {
		r.accounts.rights.take("overwrite") // AllowOverwrite is off by default
	}
}

// handlers are what becomes of the directives that have a place here.
func (r *proftpd) handlers() map[string]func(directive) {
	return map[string]func(directive){
		"port":                     r.setPort,
		"defaultaddress":           r.defaultAddress,
		"useipv6":                  r.useIPv6,
		"servertype":               r.serverType,
		"passiveports":             func(d directive) { r.setPorts(d, d.arg(0), d.arg(1)) },
		"masqueradeaddress":        func(d directive) { r.setMasquerade(d, d.arg(0)) },
		"maxinstances":             r.ofAll(func(n int) { r.limits.sessions = n }),
		"maxclients":               r.maxClients,
		"maxclientsperhost":        r.ofAll(func(n int) { r.limits.perAddress = n }),
		"maxconnectionsperhost":    r.ofAll(func(n int) { r.limits.perAddress = n }),
		"maxclientsperuser":        r.ofAll(func(n int) { r.perAccount.sessions = n }),
		"maxtransfersperuser":      r.maxTransfers,
		"maxstorefilesize":         r.maxStore,
		"timeoutidle":              func(d directive) { r.time(d, func() { r.limits.idle, _ = seconds(d.arg(0)) }) },
		"timeoutlogin":             func(d directive) { r.time(d, func() { r.limits.login, _ = seconds(d.arg(0)) }) },
		"timeoutstalled":           func(d directive) { r.time(d, func() { r.limits.transfer, _ = seconds(d.arg(0)) }) },
		"transferrate":             r.transferRate,
		"allowoverwrite":           r.allowOverwrite,
		"deleteabortedstores":      func(d directive) { r.accounts.discard = on(d) },
		"defaultroot":              r.defaultRoot,
		"authuserfile":             r.authUserFile,
		"hidefiles":                r.hideFiles,
		"pathdenyfilter":           r.pathDeny,
		"transferlog":              r.transferLog,
		"tlsengine":                r.tlsEngine,
		"tlsrsacertificatefile":    r.certificate,
		"tlseccertificatefile":     r.certificate,
		"tlsrsacertificatekeyfile": r.key,
		"tlseccertificatekeyfile":  r.key,
		"tlsprotocol":              r.tlsProtocol,
		"tlsrequired":              r.tlsRequired,
		"tlsoptions":               r.tlsOptions,
		"user":                     r.user,
		"useralias":                r.userAlias,
	}
}

// on is a directive of on or off.
func on(d directive) bool {
	switch strings.ToLower(d.arg(0)) {
	case "on", "yes", "true", "1":
		return true
	}
	return false
}

// apart lists a directive that is not the server's own, and tells whether it was.
func (r *proftpd) apart(d directive) bool {
	if r.place() == inServer {
		return false
	}
	b := r.blocks[len(r.blocks)-1]
	for i := len(r.blocks) - 1; i >= 0 && strings.HasPrefix(strings.ToLower(b.name), "if"); i-- {
		b = r.blocks[i]
	}
	what := map[proftpdPlace]string{
		inVirtual:   "accounts, limits and TLS are those of all listeners here; where they must differ run a second gateway",
		inAnonymous: "it is not told apart for anonymous clients, who only list and read",
		inDirectory: "give the directory a mount of its own that says it",
	}[r.place()]
	r.note(d, "is for <%s> alone: %s", strings.TrimSpace(b.name+" "+brief(b.value())), what)
	return true
}

// ofAll is what takes a number that is of the whole server.
func (r *proftpd) ofAll(set func(int)) func(directive) {
	return func(d directive) {
		n, ok := number(d.arg(0))
		switch {
		case strings.EqualFold(d.arg(0), "none") || r.apart(d):
		case !ok || n == 0:
			r.note(d, "is no number")
		default:
			set(n)
		}
	}
}

// time is what takes a time of the whole server; 0 turned it off there.
func (r *proftpd) time(d directive, set func()) {
	if _, ok := seconds(d.arg(0)); ok && !r.apart(d) {
		set()
	} else if !ok {
		r.note(d, "no time-out here can be turned off; write limits: with a long one")
	}
}

func (r *proftpd) setPort(d directive) {
	n, ok := number(d.arg(0))
	switch {
	case !ok || n >= 1<<16:
		r.note(d, "is no port")
	case r.place() == inVirtual:
		for _, i := range r.virtuals {
			r.listeners[i].port = n
		}
	case !r.apart(d):
		r.port = n
	}
}

func (r *proftpd) defaultAddress(d directive) {
	if r.apart(d) {
		return
	}
	addr, err := netip.ParseAddr(d.arg(0))
	if err != nil || len(d.args) > 1 {
		r.note(d, "names and lists of addresses are not taken: write a listener for each address")
		return
	}
	r.address = addr.String()
}

func (r *proftpd) serverType(d directive) {
	if strings.EqualFold(d.arg(0), "inetd") {
		r.note(d, "inetd or the like listened for ProFTPD; here the gateway listens by itself: stop that")
	}
}

// virtual makes listeners of a <VirtualHost>.
func (r *proftpd) virtual(d directive) {
	r.virtuals = nil
	for _, host := range d.args {
		addr, err := netip.ParseAddr(host)
		if err != nil {
			r.note(d, "names are not looked up here: write a listener with the address that it has")
			continue
		}
		r.virtuals = append(r.virtuals, len(r.listeners))
		r.listeners = append(r.listeners, listener{host: addr.String(), port: 21, from: "VirtualHost"})
	}
}

// anonymous takes the first <Anonymous>.
func (r *proftpd) anonymous(b *block) {
	root := plain(b.arg(0))
	switch {
	case r.first != nil:
		r.note(b.directive, "is not carried over: there is one anonymous account, and line %d of /%s has been taken for it; make accounts of the others", r.first.line, r.first.file)
		return
	case root == "~ftp":
		root = "/srv/ftp" // the home of Debian's user ftp
	case !strings.HasPrefix(root, "/"):
		r.note(b.directive, "is the home of a user: see that anonymous: has the right prefix")
		root = "/" + strings.TrimPrefix(root, "~")
	}
	r.first = b
	r.Plan.anonymous.root = root
}

// ofFirst tells whether the parser is in the <Anonymous> that was taken.
func (r *proftpd) ofFirst() bool {
	for _, b := range r.blocks {
		if b == r.first {
			return true
		}
	}
	return false
}

func (r *proftpd) maxClients(d directive) {
	n, ok := number(d.arg(0))
	switch {
	case strings.EqualFold(d.arg(0), "none"):
	case ok && n > 0 && r.place() == inAnonymous && r.ofFirst():
		r.Plan.anonymous.sessions = n
	default:
		r.ofAll(func(n int) { r.limits.sessions = n })(d)
	}
}
