package plan

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// logins are the lists of names.
func (v *vsftpd) logins(guests bool) { //nolint:revive // vsftpd's own switch
	a := &v.Plan.accounts
	a.from, a.imports = Vsftpd, []string{"/etc/passwd", "/etc/shadow"}
	service := v.text("pam_service_name", "ftp")
	if guests {
		a.imports = v.pamFiles(service)
	}
	if v.yes("userlist_enable", false) {
		list := v.text("userlist_file", "/etc/vsftpd.user_list")
		if v.yes("userlist_deny", true) {
			a.imports = append(a.imports, list)
		} else {
			v.note(v.by["userlist_enable"], "only those in %s could log in: after the import remove the others, with `causeway user remove` or disable", list)
		}
	}
	v.used["userlist_file"], v.used["userlist_deny"] = true, true
}

// pamFiles are the files of passwords that a PAM service names: those of pam_pwdfile, and
// the texts of which those of pam_userdb are made, as far as they have the usual name.
func (v *vsftpd) pamFiles(service string) []string {
	text, err := readFile(v.fsys, path.Join("etc/pam.d", path.Base(service)))
	if err == nil {
		for _, line := range lines(text) {
			fields := strings.Fields(line)
			for i, f := range fields {
				if file, ok := strings.CutPrefix(f, "pwdfile="); ok {
					return []string{file}
				}
				if f == "pwdfile" && i+1 < len(fields) {
					return []string{fields[i+1]}
				}
				if db, ok := strings.CutPrefix(f, "db="); ok {
					return []string{db + ".txt"}
				}
			}
		}
	}
	v.note(v.by["guest_enable"], "the PAM service %s says where passwords are; import that file: of pam_pwdfile, or the text of which db_load made pam_userdb's", service)
	return []string{"PASSWORDS"}
}

// mayDo is what accounts may do.
func (v *vsftpd) mayDo() {
	r := &v.Plan.accounts.rights
	if !v.yes("write_enable", false) {
		r.take("write", "overwrite", "delete", "rename", "mkdir")
	}
	if !v.yes("download_enable", true) {
		r.take("read")
	}
	if !v.yes("dirlist_enable", true) {
		r.take("list")
	}
	if guests := v.yes("guest_enable", false); guests && !v.yes("virtual_use_local_privs", false) {
		v.guestRights(r)
	}
	v.commands(r)
	v.Plan.accounts.discard = v.yes("delete_failed_uploads", false)
}

// guestRights are those of anonymous users, which guests have.
func (v *vsftpd) guestRights(r *rights) {
	if !v.yes("anon_upload_enable", false) {
		r.take("write", "overwrite")
	}
	if !v.yes("anon_mkdir_write_enable", false) {
		r.take("mkdir")
	}
	if !v.yes("anon_other_write_enable", false) {
		r.take("delete", "rename", "overwrite")
	}
	if rate := v.number("anon_max_rate"); rate > 0 {
		v.perAccount.up, v.perAccount.down = rate, rate
	}
}

// commands takes the rights that cmds_allowed and cmds_denied take.
func (v *vsftpd) commands(r *rights) {
	if d, ok := v.by["cmds_denied"]; ok {
		v.used["cmds_denied"] = true
		var rest []string
		for _, verb := range verbs(d.value()) {
			if right := rightOf(verb); right != "" {
				r.take(right)
			} else {
				rest = append(rest, verb)
			}
		}
		if len(rest) > 0 {
			v.note(d, "commands are not refused one by one here; left as they are: %s", strings.Join(rest, ", "))
		}
	}
	if d, ok := v.by["cmds_allowed"]; ok {
		v.used["cmds_allowed"] = true
		allowed := verbs(d.value())
		for _, verb := range []string{"STOR", "RETR", "LIST", "DELE", "RNFR", "MKD"} {
			if !slices.Contains(allowed, verb) {
				r.take(rightOf(verb))
			}
		}
		v.note(d, "commands are not refused one by one here; rights are, and these were set accordingly")
	}
}

func verbs(list string) []string {
	return strings.FieldsFunc(strings.ToUpper(list), func(r rune) bool { return r == ',' || r == ' ' })
}

// rightOf is the right without which a command does nothing.
func rightOf(verb string) string {
	switch verb {
	case "STOR", "STOU", "APPE":
		return "write"
	case "RETR":
		return "read"
	case "LIST", "NLST", "MLSD", "MLST", "STAT":
		return "list"
	case "DELE", "RMD", "XRMD":
		return "delete"
	case "RNFR", "RNTO":
		return "rename"
	case "MKD", "XMKD":
		return "mkdir"
	}
	return ""
}

// userConfigs lists what is said of single users, in files of their names.
func (v *vsftpd) userConfigs() {
	d, ok := v.by["user_config_dir"]
	if !ok {
		return
	}
	dir := local(d.value())
	entries, err := fs.ReadDir(v.fsys, dir)
	if err != nil {
		v.note(d, "cannot be read: see what the files there say of each user")
		return
	}
	for _, e := range entries[:min(len(entries), maxFiles)] {
		name := path.Join(dir, e.Name())
		text, err := readFile(v.fsys, name)
		if err != nil {
			v.note(directive{file: name, name: e.Name()}, "cannot be read: see what it says of the user")
			continue
		}
		own := &vsftpd{Plan: v.Plan, by: map[string]directive{}}
		for _, d := range own.parse(name, text) {
			v.note(d, "%s", ofUser(d.name, e.Name()))
		}
	}
}

// ofUser is what to do about a setting of one user.
func ofUser(setting, user string) string {
	advice := map[string]string{
		"local_root":     "mounts: with this directory as prefix",
		"write_enable":   "mounts: with rights",
		"local_max_rate": "limits: {upload_rate: …, download_rate: …}",
		"max_per_ip":     "limits: {sessions: …}",
		"hide_file":      "mounts: with hide",
		"deny_file":      "mounts: with deny",
	}[setting]
	if advice == "" {
		return fmt.Sprintf("is of user %s alone, and is not carried over", user)
	}
	return fmt.Sprintf("is of user %s alone: write %s into the account, in the users file", user, advice)
}
