package plan

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// vsftpd is a configuration of vsftpd (vsftpd.conf(5)): one name=value a line, of which the
// last of a name counts.
type vsftpd struct {
	*Plan
	fsys fs.FS
	by   map[string]directive
	used map[string]bool
}

func readVsftpd(fsys fs.FS, name string, p *Plan) error {
	text, err := readFile(fsys, name)
	if err != nil {
		return err
	}
	v := &vsftpd{Plan: p, fsys: fsys, by: map[string]directive{}, used: map[string]bool{}}
	all := v.parse(name, text)
	v.carry()
	for _, d := range all {
		v.judge(d)
	}
	slices.SortStableFunc(p.Notes, func(a, b Note) int { return a.Line - b.Line })
	v.userConfigs()
	return nil
}

// parse reads the lines that say something.
func (v *vsftpd) parse(file string, text []byte) []directive {
	var all []directive
	for n, line := range lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		d := directive{file: file, line: n, name: strings.TrimSpace(name), args: []string{strings.TrimSpace(value)}}
		if first, twice := v.by[d.name]; twice {
			v.note(first, "does not count: line %d says it again", n)
		}
		v.by[d.name] = d
		all = append(all, d)
	}
	return all
}

// judge lists a directive that carry has not used.
func (v *vsftpd) judge(d directive) {
	if v.used[d.name] || v.by[d.name].line != d.line {
		return
	}
	if f, known := vsftpdFates()[d.name]; known {
		f.apply(v.Plan, d)
		return
	}
	v.note(d, "is unknown: vsftpd.conf(5) has no such setting")
}

// yes is a setting of YES or NO, and what counts where it is not there.
func (v *vsftpd) yes(name string, absent bool) bool {
	v.used[name] = true
	d, ok := v.by[name]
	if !ok {
		return absent
	}
	switch strings.ToUpper(d.value()) {
	case "YES", "TRUE", "1":
		return true
	case "NO", "FALSE", "0":
		return false
	}
	v.note(d, "is neither YES nor NO")
	return absent
}

// text is a setting's text, or what counts where it is not there.
func (v *vsftpd) text(name, absent string) string {
	v.used[name] = true
	if d, ok := v.by[name]; ok && d.value() != "" {
		return d.value()
	}
	return absent
}

// number is a setting's number, or 0; octal with a 0 before it.
func (v *vsftpd) number(name string) int {
	v.used[name] = true
	d, ok := v.by[name]
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(d.value(), 0, 32)
	if err != nil || n < 0 {
		v.note(d, "is no number")
		return 0
	}
	return int(n)
}

// carry takes all that has a place here.
func (v *vsftpd) carry() {
	v.listen()
	v.passive()
	v.tlsFiles()
	v.who()
	v.names()
	v.bounds()
	if v.yes("xferlog_enable", false) {
		v.Plan.audit = "json"
		if v.yes("xferlog_std_format", false) || v.yes("dual_log_enable", false) {
			v.Plan.audit = "xferlog"
		}
	}
}

func (v *vsftpd) listen() {
	l := listener{port: 21, implicit: v.yes("ssl_enable", false) && v.yes("implicit_ssl", false), from: "listen_port"}
	if n := v.number("listen_port"); n > 0 && n < 1<<16 {
		l.port = n
	}
	four, six := v.yes("listen", true), v.yes("listen_ipv6", false)
	switch {
	case six:
		l.host = v.text("listen_address6", "")
		l.from = "listen_ipv6, listen_port"
	case four:
		l.host = v.text("listen_address", "0.0.0.0")
		l.from = "listen, listen_port"
	default:
		v.note(v.by["listen"], "inetd or the like listened for vsftpd; here the gateway listens by itself: stop that")
	}
	v.used["listen_address"], v.used["listen_address6"], v.used["implicit_ssl"] = true, true, true
	v.listeners = append(v.listeners, l)
}

func (v *vsftpd) passive() {
	low, high := v.number("pasv_min_port"), v.number("pasv_max_port")
	d, ok := v.by["pasv_min_port"]
	if !ok {
		d = v.by["pasv_max_port"]
	}
	switch {
	case low > 0 && high > 0:
		v.setPorts(d, strconv.Itoa(low), strconv.Itoa(high))
	case low > 0:
		v.setPorts(d, strconv.Itoa(low), "65535")
	case high > 0:
		v.setPorts(d, "1024", strconv.Itoa(high))
	}
	if address := v.text("pasv_address", ""); address != "" {
		v.setMasquerade(v.by["pasv_address"], address)
	}
}

func (v *vsftpd) tlsFiles() {
	on := v.yes("ssl_enable", false)
	certificate := v.text("rsa_cert_file", "/usr/share/ssl/certs/vsftpd.pem")
	key := v.text("rsa_private_key_file", certificate)
	// Both ask for TLS unless they say NO.
	login, data := v.yes("force_local_logins_ssl", true), v.yes("force_local_data_ssl", true)
	reuse := v.yes("require_ssl_reuse", true)
	if !on {
		v.used["require_cert"], v.used["ssl_request_cert"], v.used["validate_cert"] = true, true, true
		return
	}
	v.tls = tlsSettings{certificate: certificate, key: key, required: login && data, reuse: reuse, minVersion: "1.2"}
	if d, ok := v.by["force_local_data_ssl"]; ok && login && !data {
		v.note(d, "TLS was required for passwords and not for files; here tls: {required: true} is for both, and is not set: set it if no client sends files in clear")
	}
}

// who says who may come and what they may do.
func (v *vsftpd) who() {
	if v.yes("anonymous_enable", true) {
		v.Plan.anonymous.root = plain(v.text("anon_root", ""))
		if v.Plan.anonymous.root == "" {
			v.Plan.anonymous.root = "/srv/ftp" // the home of Debian's user ftp
		}
		if v.yes("write_enable", false) {
			for _, name := range []string{"anon_upload_enable", "anon_mkdir_write_enable", "anon_other_write_enable"} {
				if v.yes(name, false) {
					v.note(v.by[name], "anonymous clients only list and read here; give who uploads an account with the right to write")
				}
			}
		}
		v.Plan.anonymous.rate = v.number("anon_max_rate")
	}
	a := &v.Plan.accounts
	guests := v.yes("guest_enable", false)
	a.on = v.yes("local_enable", false) || guests
	if !a.on {
		return
	}
	a.free = !v.yes("chroot_local_user", false) && !guests
	v.place(guests)
	v.logins(guests)
	v.mayDo()
}

// place is where each account begins.
func (v *vsftpd) place(guests bool) {
	token := plain(v.text("user_sub_token", ""))
	root := plain(v.text("local_root", ""))
	switch {
	case root == "" && guests && token != "":
		root = "/{home}" // of guest_username, with the token in it
		v.note(v.by["user_sub_token"], "is in the home of the guest user: replace {home} by it, with {user} for %s", token)
	case root == "":
		root = "/{home}"
	case token != "" && strings.Contains(root, token):
		root = strings.ReplaceAll(root, token, "{user}")
	case strings.Contains(root, "$"):
		v.note(v.by["local_root"], "user_sub_token says what stands for the user's name; without one it is as written")
	}
	v.Plan.accounts.place = root
}

// names are the patterns of what is hidden and refused.
func (v *vsftpd) names() {
	for _, list := range []struct {
		name string
		to   []*[]string
	}{
		{"hide_file", []*[]string{&v.Plan.accounts.hide, &v.Plan.anonymous.hide}},
		{"deny_file", []*[]string{&v.Plan.accounts.hide, &v.Plan.accounts.deny, &v.Plan.anonymous.hide}},
	} {
		name, to := list.name, list.to
		d, ok := v.by[name]
		v.used[name] = true
		if !ok || d.value() == "" {
			continue
		}
		globs, ok := alternatives(d.value())
		if !ok {
			v.note(d, "is no pattern that can be written here; write hide: and deny: into the mounts, a pattern for each alternative")
			continue
		}
		for _, list := range to {
			*list = append(*list, globs...)
		}
		if name == "deny_file" {
			v.note(d, "is carried over as hide and deny: what could not be touched there does not show here either")
		} else {
			v.note(d, "is carried over as hide: what did not show there and could be fetched by name is not there at all here")
		}
	}
}

// bounds are limits and times.
func (v *vsftpd) bounds() {
	v.limits.sessions = v.number("max_clients")
	v.limits.perAddress = v.number("max_per_ip")
	if rate := v.number("local_max_rate"); rate >= minRate {
		v.perAccount.up, v.perAccount.down = rate, rate
		v.note(v.by["local_max_rate"], "is carried over for all sessions of an account together; there it was for each")
	} else if rate > 0 {
		v.note(v.by["local_max_rate"], "is less than 1 KiB a second, with which clients give up")
	}
	for name, to := range map[string]func(string){
		"idle_session_timeout":    func(s string) { v.limits.idle, _ = seconds(s) },
		"data_connection_timeout": func(s string) { v.limits.transfer, _ = seconds(s) },
	} {
		if n := v.number(name); n > 0 {
			to(strconv.Itoa(n))
		}
	}
}
