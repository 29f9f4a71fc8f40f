package importers

import (
	"path"
	"strconv"
	"strings"
	"time"
)

// Fields of passwd(5) and shadow(5), and of group(5), by number.
const (
	passwdFields = 7
	shadowFields = 9
	groupFields  = 4
)

// htpasswd reads a line of the Apache HTTP server's password file (htpasswd(1)), which
// pam_pwdfile reads too: NAME:HASH, and what pam_pwdfile ignores.
func (r *reader) htpasswd(at Origin, line string) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok {
		r.lose(at, "", "is not NAME:HASH")
		return
	}
	hash, _, _ := strings.Cut(rest, ":")
	r.take(Account{Origin: at, Name: name, Hash: strings.TrimSpace(hash)})
}

// unix reads files in the form of passwd(5), with hashes in them, as ProFTPD's AuthUserFile
// has them, or in a file in the form of shadow(5) beside it.
func (r *reader) unix(files []File) {
	shadow := map[string][]string{}
	for _, f := range files {
		for _, line := range lines(f) {
			if fields := strings.Split(line, ":"); len(fields) == shadowFields {
				shadow[fields[0]] = fields
			}
		}
	}
	for _, f := range files {
		groups, shells := false, false
		for at, line := range lines(f) {
			switch fields := strings.Split(line, ":"); len(fields) {
			case passwdFields:
				if shell := path.Base(fields[6]); !shells && (shell == "nologin" || shell == "false") {
					r.note(at, fields[0], "shells are not looked at: who was kept out for "+shell+" (pam_shells, RequireValidShell) can log in here; disable it")
					shells = true
				}
				r.passwd(at, fields, shadow[fields[0]])
			case shadowFields:
			case groupFields:
				if !groups {
					r.note(at, "", "groups are not carried over; what an account may do is said by its template")
				}
				groups = true
			default:
				r.lose(at, "", "is no line of passwd(5), shadow(5) or group(5)")
			}
		}
	}
}

// passwd reads a line of passwd(5), with its line of shadow(5), if there is one.
func (r *reader) passwd(at Origin, fields, shadow []string) {
	a := Account{Origin: at, Name: fields[0], Hash: fields[1], Home: fields[5]}
	if uid, err := strconv.ParseUint(fields[2], 10, 32); err == nil && uid == 0 {
		r.lose(at, a.Name, "is root")
		return
	}
	if shadow != nil && shadow[6] != "" {
		r.note(at, a.Name, "the days after which an old password closes the account are not carried over")
	}
	if shadow != nil && a.Hash == "x" {
		a.Hash = shadow[1]
	}
	if shadow != nil && shadow[7] != "" {
		// From that day of 1970 on nobody is let in (shadow(5)).
		days, err := strconv.ParseUint(shadow[7], 10, 16)
		if err != nil || days == 0 {
			r.lose(at, a.Name, "the end of the account in the shadow file is not a number of days")
			return
		}
		a.Expires = time.Unix(0, 0).UTC().AddDate(0, 0, int(days)-1)
	}
	r.take(a)
}
