package plan

import (
	"encoding/json"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"
	"time"
)

// Options are what a configuration needs that the old server's does not say.
type Options struct {
	Store string // what is behind the name files, as the map of a store in YAML; "" is a directory
	Root  string // directory of the old server that the store begins at; "" is its root
	Old   string // the old server's address from now on, such as ftp://127.0.0.1:2121; "" is one to be replaced
}

// YAML is the configuration, with comments.
func (p *Plan) YAML(o Options) string {
	w := &writer{Plan: p, Options: o}
	w.Root = path.Clean("/" + o.Root)
	if w.Store == "" {
		w.Store = "{kind: localdir, path: ./data}"
	}
	if w.Old == "" {
		w.Old = "ftp://old.example"
		if p.tls.on() {
			w.Old = "ftps://old.example"
		}
	}
	// What these say is told in the head and at the end.
	for _, section := range []func(){w.listen, w.passive, w.secure, w.stores, w.template, w.anonymous, w.limits, w.audit} {
		section()
	}
	body := w.String()
	w.Reset()
	w.head()
	w.WriteString(body)
	w.rest()
	return w.String()
}

// writer writes one configuration.
type writer struct {
	strings.Builder
	*Plan
	Options
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(w, format+"\n", args...)
}

// head says what the file is and what to do next.
func (w *writer) head() {
	w.line("# Made by causeway migrate plan of %s (%s). A configuration to start from: read it, and the", oneLine(w.From), w.Server)
	w.line("# end of it, where all stands that could not be carried over.")
	if w.accounts.on {
		w.line("#")
		w.line("#   echo 'users: []' > users.yaml; chmod o= users.yaml")
		w.line("#   causeway user import -c causeway.yaml --from %s --template member%s %s", w.accounts.from, w.strip(), shell(w.accounts.imports))
	}
	w.line("#   causeway check -c causeway.yaml")
	w.line("")
}

// strip is the flag of `user import` that fills {home}.
func (w *writer) strip() string {
	if !strings.Contains(w.accounts.place, "{home}") {
		return ""
	}
	return " --home-strip " + shell([]string{w.Root})
}

// shell writes words for a shell, and nothing that could be more than them.
func shell(words []string) string {
	var all []string
	for _, word := range words {
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,") != "" || word == "" {
			word = "'" + strings.ReplaceAll(brief(word), "'", `'\''`) + "'"
		}
		all = append(all, word)
	}
	return strings.Join(all, " ")
}

// quote is a text in YAML, of which JSON's is a form, that stands for itself and not for a
// variable.
func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(strings.ReplaceAll(oneLine(text), "${", "$${")) // a string can be
	return strings.TrimSpace(b.String())
}

func quoteAll(texts []string) string {
	var all []string
	for _, t := range texts {
		all = append(all, quote(t))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (w *writer) listen() {
	w.line("listeners:")
	seen := map[string]bool{}
	for _, l := range w.listeners {
		address := net.JoinHostPort(l.host, strconv.Itoa(l.port))
		if l.host == "" {
			address = ":" + strconv.Itoa(l.port)
		}
		if seen[address] {
			continue
		}
		seen[address] = true
		implicit := ""
		if l.implicit {
			implicit = ", tls: implicit"
		}
		w.line("  - {address: %s%s}  # %s", quote(address), implicit, l.from)
	}
	if len(seen) == 0 {
		w.line("  - {address: \":21\"}  # the old server's own was turned off")
	}
}

func (w *writer) passive() {
	var parts []string
	if w.ports[0] > 0 {
		parts = append(parts, fmt.Sprintf("ports: \"%d-%d\"", w.ports[0], w.ports[1]))
	}
	if w.masquerade.IsValid() {
		parts = append(parts, "address: "+w.masquerade.String())
	}
	if len(parts) > 0 {
		w.line("\npassive: {%s}", strings.Join(parts, ", "))
	}
	if w.ports[0] == 0 {
		w.line("\n# passive: {ports: \"50000-50999\"}  # the old server took any port; a firewall wants a range")
	}
}

func (w *writer) secure() {
	if !w.tls.on() {
		w.line("\n# tls: {certificate: cert.pem, key: key.pem}  # the old server had none")
		return
	}
	reuse := "offered"
	if w.tls.reuse {
		reuse = "required"
	}
	w.line("\ntls: {certificate: %s, key: %s, min_version: %q, required: %t, session_reuse: %s}", quote(w.tls.certificate), quote(w.tls.key), w.tls.minVersion, w.tls.required, reuse)
}

func (w *writer) stores() {
	w.line("\nstores:\n  # Where the files are to be: s3, gcs, azblob, or a directory as here. Keys begin at %s of the old server.", oneLine(w.Root))
	w.line("  files: %s", w.Store)
	w.line("  # The old server as what is behind, until all is here. The account must see all files, from %s on.", oneLine(w.Root))
	w.line("  # old: {kind: ftp, url: %s, user: migrate, password: \"${OLD_PASSWORD}\", connections: 4}", quote(w.Old))
}

// prefix is the prefix of a directory's keys. ok is false if it is not below the root.
func (w *writer) prefix(dir string) (prefix string, ok bool) {
	home := strings.HasPrefix(dir, "/{home}") // which `user import` cuts to what is below the root
	dir = path.Clean(dir)
	below, ok := strings.CutPrefix(dir+"/", strings.TrimSuffix(w.Root, "/")+"/")
	if home {
		below, ok = dir[1:]+"/", true
	}
	if !ok {
		below = strings.TrimPrefix(dir, "/") + "/"
	}
	if below == "/" {
		below = ""
	}
	return below, ok
}

// mount writes a mount of accounts, a key a line.
func (w *writer) mount(where, prefix string) {
	a := w.accounts
	lines := []string{"store: files", "prefix: " + quote(prefix), "rights: [" + strings.Join(a.rights.left(), ", ") + "]"}
	for _, list := range []struct {
		key      string
		patterns []string
	}{{"hide", a.hide}, {"deny", a.deny}} {
		if len(list.patterns) > 0 {
			lines = append(lines, list.key+": "+quoteAll(list.patterns))
		}
	}
	if a.overwrite != "" {
		lines = append(lines, "overwrite_policy: "+a.overwrite)
	}
	if a.discard {
		lines = append(lines, "incomplete: discard")
	}
	lines = append(lines, w.quota(), behind(prefix), "# mirror_writes: true")
	w.line("      - path: %s", where)
	for _, line := range given(lines) {
		w.line("        %s", line)
	}
}

// behind is what a mount has for the time in which both servers run, to be uncommented.
func behind(prefix string) string {
	return fmt.Sprintf("# behind: {store: old, path: %s, until: %s, copy: on_read}", quote("/"+strings.TrimSuffix(prefix, "/")), until)
}

func (w *writer) quota() string {
	var parts []string
	if w.accounts.megabytes > 0 {
		parts = append(parts, fmt.Sprintf("bytes: %dMiB", w.accounts.megabytes))
	}
	if w.accounts.files > 0 {
		parts = append(parts, fmt.Sprintf("files: %d", w.accounts.files))
	}
	if len(parts) == 0 {
		return ""
	}
	return "quota: {" + strings.Join(parts, ", ") + "}"
}

// template writes what accounts have in common, and where accounts come from.
func (w *writer) template() {
	if !w.accounts.on {
		w.line("\n# Nobody logged in but anonymous clients.")
		return
	}
	prefix, ok := w.prefix(w.accounts.place)
	if !ok {
		w.line("\n# %s is not below %s: see that the prefix is right.", oneLine(w.accounts.place), oneLine(w.Root))
	}
	w.line("\n# {home} is the home of an account below %s, as `user import --home-strip` finds it; {user} is its name. behind: has", oneLine(w.Root))
	w.line("# what is not here yet come from the old server, and mirror_writes: sends there what is written here, as a way back.\ntemplates:")
	w.member("member", prefix)
	learnt := "member"
	if strings.Contains(prefix, "{home}") {
		learnt = "learnt"
		w.line("  # As member, for accounts of which only the name is known.")
		w.member(learnt, strings.ReplaceAll(prefix, "{home}", w.homes()))
	}
	w.line("\naccounts:\n  - {file: users.yaml}")
	w.line("  # Who can log in at the old server, and is not known here, gets an account: a way to move without the old server's hashes.")
	w.line("  # - {file: /var/lib/causeway/learnt.yaml}")
	w.line("  # - learn: {from: %s, into: /var/lib/causeway/learnt.yaml, template: %s, until: %s}", quote(w.Old), learnt, until)
}

// until is an end that is far enough, and there.
const until = "2030-12-31"

// homes is where homes are where nothing else is known.
func (w *writer) homes() string {
	if strings.HasPrefix("/home/", strings.TrimSuffix(w.Root, "/")+"/") {
		return strings.TrimPrefix("/home/", strings.TrimSuffix(w.Root, "/")+"/") + "{user}"
	}
	return "{user}"
}

func (w *writer) member(name, prefix string) {
	w.line("  %s:", name)
	if len(w.accounts.networks) > 0 {
		w.line("    networks: %s", quoteAll(w.accounts.networks))
	}
	w.line("    mounts:")
	w.mount("/", prefix)
	if w.accounts.free {
		whole := quote(strings.TrimSuffix(path.Join(w.Root, prefix), "/"))
		w.line("      # Clients saw the whole machine there, and began in their homes. For those that use its paths:")
		w.line("      # - {path: %s, store: files, prefix: %s, rights: [%s]}", whole, quote(prefix), strings.Join(w.accounts.rights.left(), ", "))
	}
}

func (w *writer) anonymous() {
	a := w.settings.anonymous
	if a.root == "" {
		return
	}
	prefix, ok := w.prefix(a.root)
	if !ok {
		w.line("\n# %s is not below %s: see that the prefix is right.", oneLine(a.root), oneLine(w.Root))
	}
	w.line("\n# \"anonymous\" and \"ftp\" with any password; they list and read.\nanonymous:\n  mounts:")
	w.line("    - path: /\n      store: files\n      prefix: %s", quote(prefix))
	if len(a.hide) > 0 {
		w.line("      hide: %s", quoteAll(a.hide))
	}
	w.line("      %s", behind(prefix))
	var parts []string
	if a.sessions > 0 {
		parts = append(parts, "sessions: "+strconv.Itoa(a.sessions))
	}
	if a.rate >= minRate {
		parts = append(parts, "download_rate: "+strconv.Itoa(a.rate))
	}
	if len(parts) > 0 {
		w.line("  limits: {%s}  # of all of them together", strings.Join(parts, ", "))
	}
}

func (w *writer) limits() {
	l, a := w.settings.limits, w.perAccount
	number := func(key string, n int) string {
		if n <= 0 {
			return ""
		}
		return key + ": " + strconv.Itoa(n)
	}
	timeout := func(key string, d time.Duration) string {
		if d <= 0 {
			return ""
		}
		return key + ": " + short(d)
	}
	all := []string{number("sessions", l.sessions), number("sessions_per_address", l.perAddress), timeout("idle_timeout", l.idle), timeout("login_timeout", l.login), timeout("transfer_timeout", l.transfer)}
	each := given([]string{number("sessions", a.sessions), number("transfers", a.transfers), number("upload_rate", a.up), number("download_rate", a.down), number("file_size", a.fileSize)})
	if len(each) > 0 {
		all = append(all, "per_account: {"+strings.Join(each, ", ")+"}")
	}
	if all = given(all); len(all) == 0 {
		return
	}
	w.line("\nlimits:")
	for _, one := range all {
		w.line("  %s", one)
	}
}

// short is a time as people write it.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// given is a list without what is empty.
func given(list []string) []string {
	var some []string
	for _, s := range list {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}

func (w *writer) audit() {
	if w.settings.audit != "" {
		w.line("\naudit: {file: /var/log/causeway/audit.log, format: %s}  # the gateway's user must be allowed to write there", w.settings.audit)
	}
}

// rest lists what was not carried over.
func (w *writer) rest() {
	if len(w.Notes) == 0 {
		w.line("\n# All was carried over.")
		return
	}
	w.line("\n# Not carried over, or not quite:")
	for _, n := range w.Notes {
		w.line("#   %s", oneLine(n.String()))
	}
}
