package importers

import (
	"strings"
)

// pureFields are those of Pure-FTPd's pureftpd.passwd (README.Virtual-Users), by number.
const pureFields = 18

// The fields that are read, and those that have nothing here that they could become.
const (
	pureHome    = 5
	pureAllowed = 15
)

func pureLost() map[int]string {
	return map[int]string{
		6: "the bandwidth up", 7: "the bandwidth down", 8: "the upload ratio", 9: "the download ratio", 10: "the number of connections",
		11: "the quota of files", 12: "the quota of bytes", 13: "the addresses of the server", 14: "the refused addresses of the server",
		16: "the refused clients", 17: "the hours of the day",
	}
}

// pureftpd reads a line of pureftpd.passwd.
func (r *reader) pureftpd(at Origin, line string) {
	fields := splitPure(line)
	if len(fields) != pureFields {
		r.lose(at, "", "is no line of pureftpd.passwd")
		return
	}
	a := Account{Origin: at, Name: fields[0], Hash: fields[1]}
	home, chrooted := strings.CutSuffix(fields[pureHome], "/./")
	a.Home = home
	var names []string
	a.Networks, names = networks(strings.Split(fields[pureAllowed], ","))
	if len(names) > 0 && len(a.Networks) == 0 {
		r.lose(at, a.Name, "is for clients that are known by names only; names are not looked up here")
		return
	}
	if !r.take(a) {
		return
	}
	if len(names) > 0 {
		r.note(at, a.Name, "clients that are known by names are not carried over: names are not looked up here")
	}
	if !chrooted {
		r.note(at, a.Name, "was not kept in its home, and is here")
	}
	lost := pureLost()
	for i := range fields {
		if what, ok := lost[i]; ok && fields[i] != "" && fields[i] != "0" {
			r.note(at, a.Name, what+" is not carried over")
		}
	}
}

// splitPure splits a line at its colons, but for those within IPv6 addresses, which stand
// in brackets.
func splitPure(line string) []string {
	var fields []string
	start, within := 0, false
	for i := range len(line) {
		switch line[i] {
		case '[':
			within = true
		case ']':
			within = false
		case ':':
			if !within {
				fields, start = append(fields, line[start:i]), i+1
			}
		}
	}
	return append(fields, line[start:])
}
