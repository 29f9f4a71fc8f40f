package ftp

import (
	"strconv"
	"strings"
	"time"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// facts are what the server tells of a file or directory.
type facts struct {
	dir     bool
	size    int64
	seconds int64 // since 1970, UTC
	precise bool  // to the second; else to the minute or the day, and zone may be wrong
}

func factsOf(e ftpclient.Entry) facts {
	f := facts{dir: e.Dir, size: max(e.Size, 0), precise: e.Precise}
	if !e.ModTime.IsZero() {
		f.seconds = e.ModTime.Unix()
	}
	return f
}

// describe is what the facts say of an object.
func describe(key string, f facts) backends.Object {
	o := backends.Object{Key: key}
	if !f.dir && f.seconds != 0 {
		o.ModTime = time.Unix(f.seconds, 0).UTC()
	}
	switch {
	case f.dir:
		o.ETag = "directory" // its size and time are those of what is in it
	case f.precise:
		o.Size, o.ETag = f.size, etag(f, exact)
		o.Metadata = map[string]string{backends.MetaModTime: backends.FormatModTime(o.ModTime)}
	case f.seconds%day == 0:
		o.Size, o.ETag, o.Partial = f.size, etag(f, roughDay), true
	default:
		o.Size, o.ETag, o.Partial = f.size, etag(f, roughMinute), true
	}
	return o
}

// What stands between size and time in an ETag says how exact the time is.
const (
	exact       = "-"
	roughMinute = "~"
	roughDay    = "~~"
)

const (
	minute = 60
	day    = 24 * 60 * 60
)

func etag(f facts, exactness string) string {
	return strconv.FormatInt(f.size, 10) + exactness + strconv.FormatInt(f.seconds, 10)
}

// matches tells whether an ETag may be meant for what obj is: "" is for all, and one from a
// listing of minutes or days for all in those.
func matches(want string, obj backends.Object) bool {
	if want == "" || want == obj.ETag {
		return true
	}
	size, rest, ok := strings.Cut(want, roughMinute)
	if !ok || size != strconv.FormatInt(obj.Size, 10) {
		return false
	}
	if obj.ModTime.IsZero() {
		return true // the server has no MDTM: the size is all that is known
	}
	rest, isDay := strings.CutPrefix(rest, roughMinute)
	seconds, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return false
	}
	behind := obj.ModTime.Unix() - seconds
	if isDay { // a day of the server's, wherever that is
		return -day < behind && behind < 2*day
	}
	return 0 <= behind && behind < minute
}
