package importers

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// oldUser is a user of FileZilla Server.xml, which FileZilla Server had until 0.9.60.
type oldUser struct {
	Name    string      `xml:"Name,attr"`
	Options []oldOption `xml:"Option"`
	Denied  []string    `xml:"IpFilter>Disallowed>IP"`
	Allowed []string    `xml:"IpFilter>Allowed>IP"`
	Folders []struct {
		Dir     string      `xml:"Dir,attr"`
		Options []oldOption `xml:"Option"`
	} `xml:"Permissions>Permission"`
}

type oldOption struct {
	Name string `xml:"Name,attr"`
	Text string `xml:",chardata"`
}

// newUser is a user of users.xml, which FileZilla Server has since 1.0.
type newUser struct {
	Name    string `xml:"name,attr"`
	Enabled string `xml:"enabled,attr"`
	Mounts  []struct {
		Path      string `xml:"tvfs_path,attr"`
		Native    string `xml:"native_path,attr"`
		NewNative string `xml:"new_native_path,attr"` // of later versions, which leave the other empty
		Access    string `xml:"access,attr"`
	} `xml:"mount_point"`
	Allowed  string   `xml:"allowed_ips"`
	Denied   string   `xml:"disallowed_ips"`
	Groups   []string `xml:"group"`
	Password struct {
		Hash       string `xml:"hash"`
		Salt       string `xml:"salt"`
		Iterations string `xml:"iterations"`
	} `xml:"password"`
}

// filezilla reads FileZilla Server.xml or users.xml.
func (r *reader) filezilla(f File) {
	d := xml.NewDecoder(bytes.NewReader(f.Text))
	found := false
	for {
		token, err := d.Token()
		line, _ := d.InputPos()
		at := Origin{f.Path, line}
		switch {
		case errors.Is(err, io.EOF) && !found:
			r.lose(at, "", "there is no user in it")
			return
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			r.lose(at, "", "is no XML from here on") // the error may quote a secret
			return
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "User" && start.Name.Local != "user" {
			continue
		}
		found = true
		if start.Name.Local == "User" {
			var u oldUser
			if err = d.DecodeElement(&u, &start); err == nil {
				r.oldFilezilla(at, u)
			}
		} else {
			var u newUser
			if err = d.DecodeElement(&u, &start); err == nil {
				r.newFilezilla(at, u)
			}
		}
		if err != nil {
			r.lose(at, "", "is no user that can be read")
			return
		}
	}
}

func option(options []oldOption, name string) string {
	i := slices.IndexFunc(options, func(o oldOption) bool { return o.Name == name })
	if i < 0 {
		return ""
	}
	return options[i].Text
}

func (r *reader) oldFilezilla(at Origin, u oldUser) {
	a := Account{Origin: at, Name: u.Name, Disabled: option(u.Options, "Enabled") == "0"}
	a.Hash = oldFilezillaHash(strings.TrimSpace(option(u.Options, "Pass")), option(u.Options, "Salt"))
	folders := 0
	for _, folder := range u.Folders {
		if option(folder.Options, "IsHome") == "1" {
			a.Home = folder.Dir
		} else {
			folders++
		}
	}
	if !r.filter(&a, u.Allowed, u.Denied) || !r.take(a) {
		return
	}
	if folders > 0 {
		r.note(at, u.Name, fmt.Sprintf("%d more folders are not carried over", folders))
	}
	if group := option(u.Options, "Group"); group != "" {
		r.note(at, u.Name, "what its group says is not carried over")
	}
}

// oldFilezillaHash writes MD5 without salt, or SHA-512 of the password with the salt behind
// it, as LDAP's schemes of the same.
func oldFilezillaHash(digits, salt string) string {
	sum, err := hex.DecodeString(digits)
	switch {
	case err == nil && len(sum) == 16 && salt == "":
		return "{MD5}" + base64.StdEncoding.EncodeToString(sum)
	case err == nil && len(sum) == 64 && salt == "":
		return "{SHA512}" + base64.StdEncoding.EncodeToString(sum)
	case err == nil && len(sum) == 64:
		return "{SSHA512}" + base64.StdEncoding.EncodeToString(append(sum, salt...))
	case digits == "":
		return ""
	}
	return "{}" // of a kind that is not known
}

func (r *reader) newFilezilla(at Origin, u newUser) {
	if u.Name == "<system user>" {
		r.note(at, "", "the entry that stands for the system's users is not carried over")
		return
	}
	a := Account{Origin: at, Name: u.Name, Disabled: u.Enabled == "false"}
	a.Hash = newFilezillaHash(u.Password.Hash, u.Password.Salt, u.Password.Iterations)
	mounts, readOnly := 0, false
	for _, m := range u.Mounts {
		if m.Path == "/" {
			a.Home = m.NewNative
			if a.Home == "" {
				a.Home = m.Native
			}
		} else {
			mounts++
		}
		readOnly = readOnly || m.Access == "0"
	}
	if !r.filter(&a, strings.Fields(u.Allowed), strings.Fields(u.Denied)) || !r.take(a) {
		return
	}
	if mounts > 0 {
		r.note(at, u.Name, fmt.Sprintf("%d more mount points are not carried over", mounts))
	}
	if readOnly {
		r.note(at, u.Name, "had mounts that are read only; what it may do is said by its template")
	}
	if len(u.Groups) > 0 {
		r.note(at, u.Name, "what its group says is not carried over")
	}
}

// newFilezillaHash writes PBKDF2-HMAC-SHA256 as passlib does. FileZilla writes hash and salt
// in base 64 without padding.
func newFilezillaHash(hash, salt, iterations string) string {
	adapt := func(s string) string {
		return strings.ReplaceAll(strings.TrimRight(strings.TrimSpace(s), "="), "+", ".")
	}
	switch {
	case strings.TrimSpace(hash) == "":
		return ""
	case strings.TrimSpace(iterations) == "":
		return "{}" // of a kind that is not known
	}
	return "$pbkdf2-sha256$" + strings.TrimSpace(iterations) + "$" + adapt(salt) + "$" + adapt(hash)
}

// filter carries over which clients are let in: where all are refused, those that are
// allowed all the same. It tells whether the account can be taken.
func (r *reader) filter(a *Account, allowed, denied []string) bool {
	if len(denied) == 0 {
		return true
	}
	everybody := slices.ContainsFunc(denied, func(s string) bool { s = strings.TrimSpace(s); return s == "*" || s == "0.0.0.0/0" })
	if !everybody {
		r.note(a.Origin, a.Name, "the refused clients are not carried over")
		return true
	}
	known, rest := networks(allowed)
	if len(known) == 0 {
		r.lose(a.Origin, a.Name, "lets no client in that is known by an address")
		return false
	}
	if len(rest) > 0 {
		r.note(a.Origin, a.Name, "some of the allowed clients are not carried over")
	}
	a.Networks = known
	return true
}
