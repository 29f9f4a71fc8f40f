package ftp

import (
	"io/fs"
	"strconv"
	"time"
	"unicode/utf8"
)

// halfYear is how long LIST shows the hour and not the year, as ls does: half of a mean
// Gregorian year.
const halfYear = 31556952 * time.Second / 2

// sizeWidth is the width that sizes are filled up to; names of files past 10 TB move right.
const sizeWidth = 13

// dosSizeWidth is that of IIS.
const dosSizeWidth = 20

// appendListLine writes e as a line of "/bin/ls -l" in UTC with CRLF, the form that
// clients guess at. One space is before the name, so that names with leading spaces
// survive. A time that is not known is shown as the beginning of 1970.
func appendListLine(dst []byte, e Entry, now time.Time) []byte {
	dst = appendMode(dst, e)
	dst = append(dst, " 1 ftp      ftp      "...)
	dst = appendPadded(dst, max(e.Size, 0), sizeWidth)
	dst = append(dst, ' ')
	dst = appendListTime(dst, e.ModTime, now)
	dst = append(dst, ' ')
	return appendName(dst, e.Name)
}

// appendDOSLine writes e as a line of "dir" on Windows in UTC with CRLF, in the form of IIS.
func appendDOSLine(dst []byte, e Entry) []byte {
	t := e.ModTime
	if !timeKnown(t) {
		t = time.Unix(0, 0)
	}
	dst = t.UTC().AppendFormat(dst, "01-02-06  03:04PM ")
	if e.Dir {
		dst = append(dst, "      <DIR>         "...)
	} else {
		dst = appendPadded(dst, max(e.Size, 0), dosSizeWidth)
	}
	dst = append(dst, ' ')
	return appendName(dst, e.Name)
}

// appendName writes a name with CRLF, as NLST does. No name has control characters; were
// one to come, it would turn into a question mark rather than end the line.
func appendName(dst []byte, name string) []byte {
	for i, r := range name {
		if forbidden(r) {
			return append(appendVisible(append(dst, name[:i]...), name[i:]), "\r\n"...)
		}
	}
	return append(append(dst, name...), "\r\n"...)
}

// appendVisible writes s with question marks for what no name may have.
func appendVisible(dst []byte, s string) []byte {
	for _, r := range s {
		if forbidden(r) {
			r = '?'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// appendMode writes the ten characters of type and permissions.
func appendMode(dst []byte, e Entry) []byte {
	kind := byte('-')
	if e.Dir {
		kind = 'd'
	}
	dst = append(dst, kind)
	const rwx = "rwxrwxrwx"
	mode := e.mode()
	for i := range len(rwx) {
		if mode&(1<<(len(rwx)-1-i)) == 0 {
			dst = append(dst, '-')
		} else {
			dst = append(dst, rwx[i])
		}
	}
	return dst
}

// mode tells permissions as a file system would: group and others may read what the
// account may read, and write nothing.
func (e Entry) mode() fs.FileMode {
	read, write, execute := PermRetrieve, PermWrite|PermAppend, Perm(0)
	if e.Dir {
		read, write, execute = PermList, PermCreate|PermMkdir|PermPurge, PermEnter
	}
	var mode fs.FileMode
	if e.Perm&read != 0 {
		mode |= 0o444
	}
	if e.Perm&write != 0 {
		mode |= 0o200
	}
	if e.Perm&execute != 0 {
		mode |= 0o111
	}
	return mode
}

// appendPadded writes n at the right of so many characters.
func appendPadded(dst []byte, n int64, width int) []byte {
	var digits [20]byte
	b := strconv.AppendInt(digits[:0], n, 10)
	for range width - len(b) {
		dst = append(dst, ' ')
	}
	return append(dst, b...)
}

// appendListTime writes "Jan 02 15:04" for a time within the last half year and
// "Jan 02  2006" for others, those in the future too.
func appendListTime(dst []byte, t, now time.Time) []byte {
	if !timeKnown(t) {
		t = time.Unix(0, 0)
	}
	layout := "Jan 02  2006"
	if age := now.Sub(t); 0 <= age && age < halfYear {
		layout = "Jan 02 15:04"
	}
	return t.UTC().AppendFormat(dst, layout)
}
