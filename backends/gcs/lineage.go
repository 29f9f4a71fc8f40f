package gcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/storage"

	"causeway/backends"
	"causeway/backends/journal"
)

// partsPrefix is where the parts of uploads are, as objects to be composed.
const partsPrefix = backends.Reserved + "/parts/"

// part is an object to be composed.
type part struct {
	name       string
	attempt    string // that stored it
	generation int64  // that it is pinned to, 0 for any
	size       int64
	crc        uint32
	stored     time.Time // by the store's clock, zero if this process has stored it
}

// lineage says where the parts of an upload are and which of them count. All who write
// an upload, one after the other, use one folder; each attempt gives its parts names of
// its own, so that what one of them stores late is never part of what another goes on with.
type lineage struct {
	folder  string    // random
	attempt string    // random; stores the parts that follow those of earlier
	object  int64     // octets of the object that is appended to and counts as part 1; 0 if none
	earlier []stretch // whose parts precede
}

// stretch is the parts of one attempt, up to number last, after those of the one before.
type stretch struct {
	attempt string
	last    int
}

// objectMark stands for the object that is appended to, in [journal.Record.Before].
const objectMark = "object"

// note writes l into a record: the native name is "FOLDER/ATTEMPT"; what is before is
// "object:OCTETS" and then "ATTEMPT:LAST" for each stretch, parted by blanks.
func (l lineage) note(r *journal.Record) {
	var words []string
	if l.object > 0 {
		words = append(words, fmt.Sprint(objectMark, ":", l.object))
	}
	for _, s := range l.earlier {
		words = append(words, fmt.Sprint(s.attempt, ":", s.last))
	}
	r.Native, r.Before = l.folder+"/"+l.attempt, strings.Join(words, " ")
}

var errRecord = errors.New("the record is not one that this version understands")

// lineageOf reads what note has written. errors.ErrUnsupported if that is something else.
func lineageOf(id string, r journal.Record) (lineage, error) {
	l, err := parseLineage(r)
	if err != nil {
		return l, &backends.Error{Op: "park", Key: id, Kind: errors.ErrUnsupported, Err: err}
	}
	return l, nil
}

func parseLineage(r journal.Record) (lineage, error) {
	var l lineage
	var ok bool
	if l.folder, l.attempt, ok = strings.Cut(r.Native, "/"); !ok || !plain(l.folder) || !plain(l.attempt) {
		return l, errRecord
	}
	last := 0
	for i, word := range strings.Fields(r.Before) {
		who, number, _ := strings.Cut(word, ":")
		n, err := strconv.ParseInt(number, 10, 64)
		switch {
		case err != nil, n <= 0:
			return l, errRecord
		case who == objectMark && i == 0:
			l.object, last = n, 1
			continue
		case !plain(who), n <= int64(last), n > math.MaxInt32:
			return l, errRecord
		}
		last = int(n)
		l.earlier = append(l.earlier, stretch{who, last})
	}
	return l, nil
}

// plain tells whether a name is one that rand.Text may have made, and nothing that leads
// elsewhere.
func plain(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// prefix is what the names of all objects of the upload begin with.
func (l lineage) prefix() string { return partsPrefix + l.folder + "/" }

// name is that of object n of a level: parts are level 0, what is composed of them level
// 1, and so on.
func (l lineage) name(attempt string, level, n int) string {
	return fmt.Sprintf("%s%s-%d-%05d", l.prefix(), attempt, level, n)
}

// chain is the parts that count, in order and without a gap, out of those in the folder. Of
// the object that is appended to only the size is set.
func (l lineage) chain(stored map[string]part) []part {
	var parts []part
	if l.object > 0 {
		parts = append(parts, part{size: l.object})
	}
	for _, s := range append(l.earlier[:len(l.earlier):len(l.earlier)], stretch{l.attempt, math.MaxInt}) {
		for n := len(parts) + 1; n <= s.last; n++ {
			p, ok := stored[l.name(s.attempt, 0, n)]
			if !ok {
				return parts
			}
			p.attempt = s.attempt
			parts = append(parts, p)
		}
	}
	return parts
}

// next is the lineage of another attempt, which goes on after parts.
func (l lineage) next(attempt string, parts []part) lineage {
	l.attempt, l.earlier = attempt, nil
	for i, p := range parts {
		switch n := len(l.earlier); {
		case p.attempt == "": // the object
		case n > 0 && l.earlier[n-1].attempt == p.attempt:
			l.earlier[n-1].last = i + 1
		default:
			l.earlier = append(l.earlier, stretch{p.attempt, i + 1})
		}
	}
	return l
}

// size is how many octets parts have in all.
func size(parts []part) int64 {
	var n int64
	for _, p := range parts {
		n += p.size
	}
	return n
}

// whole is how many of parts lie wholly in the first octets, and how many octets those are.
func whole(parts []part, octets int64) (n int, end int64) {
	for n < len(parts) && end+parts[n].size <= octets {
		end += parts[n].size
		n++
	}
	return n, end
}

var errCircle = errors.New("the listing does not advance")

// stored tells what is in the folder of an upload, by name.
func (s *Store) stored(ctx context.Context, l lineage) (map[string]part, error) {
	found := make(map[string]part)
	q := backends.Query{Prefix: l.prefix()}
	for {
		page, err := s.page(ctx, q, "Name", "Size", "CRC32C", "Created")
		if err != nil {
			return nil, err
		}
		for _, a := range page.attrs {
			found[a.Name] = part{name: a.Name, size: a.Size, crc: a.CRC32C, stored: a.Created.UTC()}
		}
		if page.next == "" {
			return found, nil
		}
		if page.next == q.Token {
			return nil, &backends.Error{Op: "list", Key: q.Prefix, Kind: backends.ErrUnavailable, Err: errCircle}
		}
		q.Token = page.next
	}
}

// object is the present object of key as what an upload begins with. backends.ErrChanged
// if it is not the given generation, unless that is 0, or is gone.
func (s *Store) object(ctx context.Context, key string, generation int64) (*storage.ObjectAttrs, error) {
	a, err := s.attrs(ctx, key)
	err = s.missing(ctx, err)
	switch {
	case generation != 0 && isNotExist(err), err == nil && generation != 0 && a.Generation != generation:
		return nil, &backends.Error{Op: "create", Key: key, Kind: backends.ErrChanged, Err: err}
	case err != nil:
		return nil, failure("create", key, condition{}, err)
	}
	return a, nil
}

// gone is the error for an upload of which nothing is there to go on with.
func gone(key string) error {
	return &backends.Error{Op: "create", Key: key, Kind: fs.ErrNotExist}
}
