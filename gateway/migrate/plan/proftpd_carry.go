package plan

import (
	"path"
	"slices"
	"strings"
)

// on tells whether there is TLS.
func (t tlsSettings) on() bool { return t.certificate != "" }

func (r *proftpd) maxTransfers(d directive) {
	n, ok := number(d.arg(1))
	if r.apart(d) {
		return
	}
	if !ok || n == 0 {
		r.note(d, "is no number")
		return
	}
	r.perAccount.transfers = n
	r.note(d, "limits: {per_account: {transfers: %d}} is for uploads and downloads together", n)
}

// useIPv6 takes UseIPv6 off, where no address is given.
func (r *proftpd) useIPv6(d directive) {
	if !r.apart(d) && !on(d) && r.address == "" {
		r.address = "0.0.0.0"
	}
}

// maxStore takes MaxStoreFileSize N [B|KB|MB|GB|TB].
func (r *proftpd) maxStore(d directive) {
	n, ok := number(d.arg(0))
	unit, known := map[string]int{"": 1, "b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}[strings.ToLower(d.arg(1))]
	switch {
	case d.arg(0) == "*" || r.apart(d):
	case !ok || n == 0 || !known || len(d.args) > 2 || n > 1<<21 && unit == 1<<40:
		r.note(d, "is no size for everybody; write limits: {file_size: …} into the accounts")
	default:
		r.perAccount.fileSize = n * unit
	}
}

// transferRate takes TransferRate COMMANDS KILOBYTES[:FREE] [for whom].
func (r *proftpd) transferRate(d directive) {
	text, _, _ := strings.Cut(d.arg(1), ":")
	text, _, _ = strings.Cut(text, ".")
	if len(d.args) > 2 {
		r.note(d, "is for some alone: write limits: {upload_rate: …, download_rate: …} into their accounts or template")
		return
	}
	commands := strings.Split(strings.ToUpper(d.arg(0)), ",")
	if r.place() == inAnonymous && r.ofFirst() {
		if slices.Contains(commands, "RETR") {
			r.rate(d, text, 1<<10, &r.Plan.anonymous.rate)
		}
		return
	}
	if r.apart(d) {
		return
	}
	var to []*int
	for _, c := range commands {
		switch c {
		case "RETR":
			to = append(to, &r.perAccount.down)
		case "STOR", "APPE", "STOU":
			to = append(to, &r.perAccount.up)
		}
	}
	r.rate(d, text, 1<<10, to...)
	r.note(d, "is carried over for all transfers of an account together; there it was for each, with what is behind the colon free")
}

func (r *proftpd) allowOverwrite(d directive) {
	switch {
	case r.place() == inAnonymous:
	case !r.apart(d):
		r.overwrite = on(d)
	}
}

// defaultRoot takes DefaultRoot DIR [groups].
func (r *proftpd) defaultRoot(d directive) {
	if r.apart(d) {
		return
	}
	if len(d.args) > 1 {
		r.note(d, "is for some groups alone: give those whom it is not for a template of their own")
	}
	r.accounts.free = false
	switch dir := plain(d.arg(0)); {
	case dir == "~":
	case strings.HasPrefix(dir, "~/"):
		r.accounts.place = "/{home}" + dir[1:]
	case path.IsAbs(dir):
		r.accounts.place = strings.ReplaceAll(dir, "%u", "{user}")
	default:
		r.note(d, "is no directory that can be told here; see the template's prefix")
	}
}

// authUserFile takes the file of `user import`.
func (r *proftpd) authUserFile(d directive) {
	if !r.apart(d) {
		r.accounts.from = ProFTPD
		r.accounts.imports = append(r.accounts.imports, d.arg(0))
	}
}

func (r *proftpd) hideFiles(d directive) {
	globs, ok := regexGlobs(d.arg(0))
	switch {
	case strings.EqualFold(d.arg(0), "none"):
	case !ok || len(d.args) > 1:
		r.note(d, "is no expression that can be written as a pattern; write hide: into the mounts, such as [\".*\"]")
	case r.place() == inAnonymous && r.ofFirst():
		r.Plan.anonymous.hide = append(r.Plan.anonymous.hide, globs...)
	case !r.apart(d):
		r.accounts.hide = append(r.accounts.hide, globs...)
		r.Plan.anonymous.hide = append(r.Plan.anonymous.hide, globs...)
		r.note(d, "is carried over as hide: what did not show there and could be fetched by name is not there at all here")
	}
}

func (r *proftpd) pathDeny(d directive) {
	globs, ok := regexGlobs(d.arg(0))
	switch {
	case strings.EqualFold(d.arg(0), "none"):
	case r.place() == inAnonymous:
	case !ok || len(d.args) > 1:
		r.note(d, "is no expression that can be written as a pattern; write deny: into the mounts, such as [\"*.exe\"]")
	case !r.apart(d):
		r.accounts.deny = append(r.accounts.deny, globs...)
	}
}

func (r *proftpd) transferLog(d directive) {
	if !strings.EqualFold(d.arg(0), "none") && !r.apart(d) {
		r.audit = "xferlog"
	}
}

func (r *proftpd) tlsEngine(d directive) {
	switch r.place() {
	case inServer:
		r.server = on(d)
		r.engine = r.engine || on(d)
	case inVirtual:
		r.engine = r.engine || on(d)
	default:
		r.apart(d)
	}
}

func (r *proftpd) certificate(d directive) {
	if r.pairs.certificate != "" && !strings.EqualFold(r.pairs.certificate, d.arg(0)) {
		r.note(d, "there is one certificate, and another was taken")
		return
	}
	r.pairs.certificate = d.arg(0)
}

func (r *proftpd) key(d directive) {
	if r.pairs.key != "" && r.pairs.key != d.arg(0) {
		r.note(d, "there is one key, and another was taken")
		return
	}
	r.pairs.key = d.arg(0)
}

// tlsProtocol takes the least of the versions that are named.
func (r *proftpd) tlsProtocol(d directive) {
	versions := map[string]string{"tlsv1": "1.0", "tlsv1.1": "1.1", "tlsv1.2": "1.2", "tlsv1.3": "1.3"}
	least := ""
	for _, word := range d.args {
		version, ok := versions[strings.ToLower(word)]
		if !ok {
			r.note(d, "%s is no version of TLS that is chosen here; TLS 1.2 is the least that was written", brief(word))
			return
		}
		if least == "" || version < least {
			least = version
		}
	}
	if least != "" {
		r.pairs.minVersion = least
	}
}

// tlsRequired takes TLSRequired on|off|ctrl|auth|auth+data|data|….
func (r *proftpd) tlsRequired(d directive) {
	switch strings.ToLower(d.arg(0)) {
	case "on", "auth+data", "ctrl+data":
		r.pairs.required = true
	case "off":
	default:
		r.note(d, "tls: {required: true} is for passwords and files alike, and is not set: set it if no client sends either in clear")
	}
}

func (r *proftpd) tlsOptions(d directive) {
	for _, option := range d.args {
		switch strings.ToLower(option) {
		case "nosessionreuserequired":
			r.pairs.reuse = false
		case "useimplicitssl":
			r.implicit = r.implicit || r.place() == inServer
			if r.place() == inVirtual {
				for _, i := range r.virtuals {
					r.listeners[i].implicit = true
				}
			}
		case "nocertrequest", "noemptyfragments", "enablediags", "stdenvvars", "exportcertdata":
		default:
			r.note(d, "%s has no counterpart", brief(option))
		}
	}
}

// user is that of the processes, or of anonymous clients.
func (r *proftpd) user(d directive) {
	if r.place() != inAnonymous {
		r.note(d, "is the system's user of the old server: the gateway has one of its own")
	}
}

func (r *proftpd) userAlias(d directive) {
	if r.place() == inAnonymous && (d.arg(0) == "anonymous" || d.arg(0) == "ftp") {
		return // both names are those of the anonymous account
	}
	r.note(d, "an account has one name: make two, with the same mounts")
}
