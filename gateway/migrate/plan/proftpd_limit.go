package plan

import (
	"net/netip"
	"slices"
	"strings"
)

// limit takes a <Limit> when it closes.
func (r *proftpd) limit(b *block) {
	var sweeping, others []directive
	for _, d := range b.inside {
		switch strings.ToLower(d.name) {
		case "order":
		case "denyall", "allowall":
			sweeping = append(sweeping, d)
		default:
			others = append(others, d)
		}
	}
	denies := slices.ContainsFunc(sweeping, func(d directive) bool { return strings.EqualFold(d.name, "DenyAll") })
	where, dir := r.whereabouts()
	switch {
	case where == elsewhere:
	case where == inVirtual:
		r.note(b.directive, "in <VirtualHost>: accounts and their rights are those of all listeners here")
	case len(others) > 0 && where == inServer && len(b.args) == 1 && strings.EqualFold(b.arg(0), "LOGIN"):
		r.loginFrom(others, denies)
	case len(others) > 0:
		for _, d := range others {
			r.note(d, "in <Limit %s>: rights are those of accounts here, and networks: of an account says from where it comes; give whom it names a template of their own", brief(b.value()))
		}
	case where == inAnonymous:
		r.limitAnonymous(b, denies)
	case where == inDirectory && !whole(dir):
		verb := "may"
		if denies {
			verb = "may not"
		}
		r.note(b.directive, "in <Directory %s>: give the directory a mount of its own, whose rights say that clients %s do this there", brief(dir), verb)
	case denies && slices.ContainsFunc(b.args, func(a string) bool { return strings.EqualFold(a, "LOGIN") }):
		r.note(b.directive, "nobody logged in but anonymous clients, or by a virtual host: import no accounts if so")
	case denies:
		for _, c := range commandsOf(b.args) {
			if right := rightOf(c); right != "" {
				r.accounts.rights.take(right)
			}
			if c == "STOR" {
				r.accounts.rights.take("overwrite")
			}
		}
	}
}

// whereabouts is the place in which a <Limit> that has just been closed stands.
func (r *proftpd) whereabouts() (where proftpdPlace, dir string) {
	where = inServer
	for _, b := range r.blocks {
		switch {
		case b.place == elsewhere, where == inAnonymous:
			return where, dir
		case b.place == inVirtual && where == inServer, b.place == inAnonymous:
			where = b.place
		case b.place == inDirectory && b.path != "":
			where, dir = inDirectory, b.path
		}
	}
	return where, dir
}

// whole tells whether a <Directory> is all that accounts see.
func whole(dir string) bool {
	return slices.Contains([]string{"/", "/*", "*", "~", "~/", "~/*"}, dir)
}

// loginFrom takes the networks of a <Limit LOGIN> that refuses all others.
func (r *proftpd) loginFrom(inside []directive, denied bool) { //nolint:revive // what else stands there
	var networks []string
	for _, d := range inside {
		name, from := strings.ToLower(d.name), slices.DeleteFunc(slices.Clone(d.args), func(a string) bool { return strings.EqualFold(a, "from") })
		switch known := prefixes(from); {
		case name == "deny" && len(from) == 1 && strings.EqualFold(from[0], "all"):
			denied = true
		case name == "allow" && len(from) == 1 && strings.EqualFold(from[0], "all"):
		case name == "allow" && known != nil:
			networks = append(networks, known...)
		default:
			r.note(d, "in <Limit LOGIN>: say it in the accounts: networks: has addresses and networks, and who must not come is disabled")
			return
		}
	}
	if denied {
		r.accounts.networks = append(r.accounts.networks, networks...)
	}
}

// prefixes are addresses and networks as they are written here; nil if one is neither.
func prefixes(words []string) []string {
	var all []string
	for _, word := range words {
		for text := range strings.SplitSeq(word, ",") {
			if text == "" {
				continue
			}
			addr, err := netip.ParseAddr(text)
			if err == nil && addr.Zone() == "" && !addr.Is4In6() {
				all = append(all, netip.PrefixFrom(addr, addr.BitLen()).String())
				continue
			}
			p, err := netip.ParsePrefix(text)
			if err != nil || p.Addr().Is4In6() {
				return nil
			}
			all = append(all, p.Masked().String())
		}
	}
	return all
}

// limitAnonymous lists what anonymous clients could, and cannot here.
func (r *proftpd) limitAnonymous(b *block, denies bool) {
	for _, c := range commandsOf(b.args) {
		right := rightOf(c)
		reads := right == "list" || right == "read"
		switch {
		case denies && reads:
			r.note(b.directive, "anonymous clients list and read all of their mounts here: mount only what they may see")
			return
		case !denies && right != "" && !reads:
			r.note(b.directive, "anonymous clients only list and read here; give who uploads an account with the right to write, and no right to read for a drop box")
			return
		}
	}
}

// commandsOf are the commands of a <Limit>, with its groups of them (ProFTPD's Limit HOWTO).
func commandsOf(args []string) []string {
	write := []string{"APPE", "DELE", "MKD", "RMD", "RNTO", "STOR", "STOU"}
	dirs := []string{"LIST", "NLST", "MLSD"}
	var all []string
	for _, a := range args {
		switch a = strings.ToUpper(a); a {
		case "WRITE":
			all = append(all, write...)
		case "READ":
			all = append(all, "RETR")
		case "DIRS":
			all = append(all, dirs...)
		case "ALL":
			all = append(append(append(all, write...), dirs...), "RETR")
		default:
			all = append(all, a)
		}
	}
	return all
}
