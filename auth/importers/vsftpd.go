package importers

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// vsftpd reads what vsftpd authenticates with: the text of which db_load makes the database
// of pam_userdb, a login and its password in clear on lines of their own; pam_pwdfile's
// file; or the system's passwd and shadow. Files called user_list and ftpusers name who is
// refused, chroot_list who is kept in his home.
func (r *reader) vsftpd(files []File) {
	denied := map[string]Origin{}
	var system []File
	var rest []File
	for _, f := range files {
		switch name := filepath.Base(f.Path); {
		case strings.Contains(name, "chroot_list"):
			r.note(Origin{f.Path, 1}, "", "here everybody is kept in his home")
		case strings.Contains(name, "user_list"), strings.Contains(name, "userlist"), strings.Contains(name, "ftpusers"):
			r.note(Origin{f.Path, 1}, "", "is read as a list of who is refused, as with userlist_deny=YES")
			for at, line := range lines(f) {
				denied[strings.TrimSpace(line)] = at
			}
		case isUnix(f):
			system = append(system, f)
		default:
			rest = append(rest, f)
		}
	}
	r.unix(system)
	for _, f := range rest {
		if isPwdfile(f) {
			for at, line := range lines(f) {
				r.htpasswd(at, line)
			}
		} else {
			r.pairs(f)
		}
	}
	r.Accounts = slices.DeleteFunc(r.Accounts, func(a Account) bool {
		by, is := denied[a.Name]
		if is {
			r.lose(a.Origin, a.Name, fmt.Sprintf("is refused by %s:%d", by.File, by.Line))
		}
		return is
	})
}

// isUnix tells a passwd or shadow file by its first line.
func isUnix(f File) bool {
	for _, line := range lines(f) {
		n := strings.Count(line, ":") + 1
		return n == passwdFields || n == shadowFields
	}
	return false
}

// isPwdfile tells a file of which each line is a name and a hash.
func isPwdfile(f File) bool {
	found := false
	for _, line := range lines(f) {
		_, hash, ok := strings.Cut(line, ":")
		if !ok || len(hash) < 13 || strings.ContainsAny(hash, " \t") {
			return false
		}
		found = true
	}
	return found
}

// pairs reads logins and passwords on lines of their own. No line is skipped: a password
// may begin with any character.
func (r *reader) pairs(f File) {
	text := strings.TrimSuffix(strings.ReplaceAll(string(f.Text), "\r\n", "\n"), "\n")
	all := strings.Split(text, "\n")
	for i := 0; i < len(all); i += 2 {
		at := Origin{f.Path, i + 1}
		if i+1 == len(all) {
			if strings.TrimSpace(all[i]) != "" {
				r.lose(at, "", "a login without a password; this file is read as one for db_load, with a login and its password on lines of their own")
			}
			return
		}
		if all[i+1] == "" {
			r.lose(at, "", "a login without a password")
			continue
		}
		hash, err := r.Hash(all[i+1])
		if err != nil {
			r.lose(at, "", "the password cannot be one here")
			continue
		}
		r.take(Account{Origin: at, Name: all[i], Hash: hash})
	}
}
