package plan

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings is what a configuration says, whatever server it is of. The zero value of each
// field leaves the choice to Causeway.
type settings struct {
	listeners  []listener
	ports      [2]int // of passive mode, the first and the last
	masquerade netip.Addr
	tls        tlsSettings
	anonymous  anonymous
	accounts   accounts
	limits     limits
	perAccount accountLimits
	audit      string // the format: json or xferlog
}

// listener is an address for control connections.
type listener struct {
	host     string
	port     int
	implicit bool
	from     string // the directives that say so
}

// tlsSettings is of no TLS where the certificate is "".
type tlsSettings struct {
	certificate, key string
	minVersion       string
	required, reuse  bool
}

// anonymous is who needs no password. It is off where root is "".
type anonymous struct {
	root     string
	hide     []string
	sessions int
	rate     int // octets a second, down
}

// accounts is who needs one.
type accounts struct {
	on        bool
	place     string   // directory, with {user} and {home}, as an absolute path
	free      bool     // clients saw the whole file system and began in place
	imports   []string // what `user import` reads
	from      string   // what it is told to read them as
	rights    rights
	hide      []string
	deny      []string
	overwrite string // overwrite_policy
	discard   bool   // incomplete uploads are deleted
	networks  []string
	files     int // of a quota
	megabytes int
}

// rights are those of an account; taken are those that it has not.
type rights struct{ taken []string }

// all are the rights that there are, in the order in which they are written.
func allRights() []string {
	return []string{"list", "read", "write", "overwrite", "delete", "rename", "mkdir"}
}

func (r *rights) take(names ...string) { r.taken = append(r.taken, names...) }

// left are the rights that were not taken; without any a mount could not be written.
func (r *rights) left() []string {
	left := slices.DeleteFunc(allRights(), func(name string) bool { return slices.Contains(r.taken, name) })
	if len(left) == 0 {
		return []string{"list"}
	}
	return left
}

// limits are of all clients together.
type limits struct {
	sessions, perAddress  int
	idle, login, transfer time.Duration
}

// accountLimits are of each account.
type accountLimits struct {
	sessions, transfers int
	up, down, fileSize  int // octets
}

// settle fills in what follows from all the rest.
func (p *Plan) settle() {
	if p.accounts.place == "" {
		p.accounts.place = "/{home}"
	}
	p.keyable("the directory of accounts", &p.accounts.place, "/{home}")
	p.keyable("the anonymous root", &p.anonymous.root, "/srv/ftp")
	if p.accounts.from == "" {
		p.accounts.from = "passwd+shadow"
		p.accounts.imports = []string{"/etc/passwd", "/etc/shadow"}
	}
	p.accounts.hide = unique(p.accounts.hide)
	p.accounts.deny = unique(p.accounts.deny)
	p.anonymous.hide = unique(p.anonymous.hide)
}

// maxPlace leaves room below the longest key that a store has for what marks become.
const maxPlace = 500

// keyable puts another in the place of a directory that can be no prefix of keys.
func (p *Plan) keyable(name string, dir *string, otherwise string) {
	d := *dir
	if d == "" || strings.HasPrefix(d, "/") && len(d) <= maxPlace && oneLine(d) == d && !strings.ContainsAny(d, "\\\t") && !strings.Contains(d, ".causeway") {
		return
	}
	*dir = otherwise
	p.Notes = append(p.Notes, Note{File: p.From, Name: name, Text: "cannot be a prefix of keys, for its length or a sign in it: see the prefix"})
}

// plain is a directory in which nothing looks like a mark of a template.
func plain(dir string) string {
	return strings.NewReplacer("{", "_", "}", "_").Replace(dir)
}

// unique is a list without what is in it twice.
func unique(list []string) []string {
	var once []string
	for _, s := range list {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

// number reads a number that is not negative and fits where it goes.
func number(text string) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil
}

// maxSeconds is a time-out of ten years, above which a number is a mistake.
const maxSeconds = 10 * 365 * 24 * 3600

// seconds reads a time in seconds that is more than none.
func seconds(text string) (time.Duration, bool) {
	n, ok := number(text)
	return time.Duration(n) * time.Second, ok && n > 0 && n <= maxSeconds
}

// port reads the number of a port.
func port(text string) (int, bool) {
	n, ok := number(text)
	return n, ok && n > 0 && n < 1<<16
}

// setPorts takes the range of passive mode.
func (p *Plan) setPorts(d directive, first, last string) {
	low, ok := port(first)
	high, ok2 := port(last)
	if !ok || !ok2 || low > high {
		p.note(d, "is no range of ports; write passive: {ports: \"50000-50999\"} as your firewall has it")
		return
	}
	p.ports = [2]int{low, high}
}

// setMasquerade takes the address that PASV announces.
func (p *Plan) setMasquerade(d directive, text string) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		p.note(d, "is no address: names are not looked up here; write passive: {address: …} with the IPv4 address that it has")
	case !addr.Unmap().Is4():
		p.note(d, "PASV announces IPv4 addresses alone, and EPSV needs none")
	default:
		p.masquerade = addr.Unmap()
	}
}

// minRate is the least that a rate may be here, in octets a second.
const minRate = 1024

// rate takes a number of octets a second; 0 sets no bound.
func (p *Plan) rate(d directive, text string, unit int, to ...*int) {
	n, ok := number(strings.TrimSpace(text))
	switch {
	case !ok:
		p.note(d, "is no rate")
	case n > 0 && n*unit < minRate:
		p.note(d, "is less than 1 KiB a second, with which clients give up")
	case n > 0:
		for _, at := range to {
			*at = n * unit
		}
	}
}
