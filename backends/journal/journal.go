// Package journal is how a store remembers its uploads in parts: one small object for
// each, in the store itself, so that any gateway can go on with what another has begun,
// however that has ended. It knows no store's parts; the stores that have parts share it.
//
// The object's key tells most of it, so that one listing answers what is parked:
//
//	.causeway/uploads/KEY.~ID~open      the upload is being written, or its gateway has died
//	.causeway/uploads/KEY.~ID~1048576   it is parked with so many octets
//	.causeway/uploads/KEY.~ID~open~TAG  as above, of an upload with a tag
//
// ID is random and new for each attempt, but its first half, which the attempts of one
// upload share. Who resumes an upload writes a record of their own and removes the one
// before, whose writer thereby learns that it has lost the upload.
// The content is one line of JSON, the [Record], and after it, where the store has no
// place for less than a whole part, the octets of the tail.
//
// Its central type is [Journal].
package journal

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"

	"causeway/backends"
)

// prefix is where the records are.
const prefix = backends.Reserved + "/uploads/"

// version is that of the form of records. Records of a later one are left alone.
const version = 1

// Store is what a journal needs of the store that it is in.
type Store interface {
	List(ctx context.Context, q backends.Query) (backends.Page, error)
	Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error)
	Delete(ctx context.Context, key string, o backends.DeleteOptions) error

	// Save writes an object of so many octets by one request, whatever is there, and takes
	// nothing of the buffer budget: those who park may hold all of it.
	Save(ctx context.Context, key string, content io.ReadSeeker, size int64) error
}

// Journal is that of one store. All its methods may be called from any goroutine.
type Journal struct {
	store Store

	mu   *sync.Mutex
	live map[string]struct{} // families of the uploads that this process is writing
}

// New returns the journal in a store. It makes no request.
func New(store Store) *Journal {
	return &Journal{store: store, mu: new(sync.Mutex), live: make(map[string]struct{})}
}

// Through is j by another way to the same store, such as with other credentials. Both know
// what this process is writing.
func (j *Journal) Through(store Store) *Journal {
	return &Journal{store: store, mu: j.mu, live: j.live}
}

// claim notes that this process is writing an upload; false if it was already.
func (j *Journal) claim(family string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, taken := j.live[family]
	j.live[family] = struct{}{}
	return !taken
}

func (j *Journal) claimed(family string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, taken := j.live[family]
	return taken
}

// Record is what must be known of an upload to go on with it.
type Record struct {
	Version     int               `json:"version"`
	Native      string            `json:"native,omitempty"` // the store's own name of the upload, "" before it has one
	Before      string            `json:"before,omitempty"` // what the store notes of parts from earlier attempts, in a form of its own
	IfMatch     string            `json:"if_match,omitempty"`
	IfAbsent    bool              `json:"if_absent,omitempty"`
	ContentType string            `json:"content_type,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Tail        int64             `json:"tail,omitempty"` // octets that follow the line

	Tag string `json:"-"` // [backends.CreateOptions.Tag], which is in the record's key
}

// unparked is the state of a record whose upload is not parked.
const unparked = "open"

// name is the key of a record, taken apart.
type name struct {
	key, id, state string
	tag            string // "" for none
}

func (n name) String() string {
	s := prefix + n.key + ".~" + n.id + "~" + n.state
	if n.tag != "" {
		s += "~" + n.tag
	}
	return s
}

// family is what the ids of all attempts at one upload begin with.
func (n name) family() string { return n.id[:familyLength] }

// attempts is what the records of all attempts at one upload begin with.
func (n name) attempts() string { return prefix + n.key + ".~" + n.family() }

// size is how much is parked, -1 if the record does not tell.
func (n name) size() int64 {
	if n.state == unparked {
		return -1
	}
	size, err := strconv.ParseInt(n.state, 10, 64)
	if err != nil {
		return -1
	}
	return size
}

// parse takes a record's key apart; false for keys that are no records.
func parse(record string) (name, bool) {
	rest, ok := strings.CutPrefix(record, prefix)
	at := strings.LastIndex(rest, ".~")
	if !ok || at <= 0 {
		return name{}, false
	}
	id, state, ok := strings.Cut(rest[at+2:], "~")
	state, tag, tagged := strings.Cut(state, "~")
	n := name{rest[:at], id, state, tag}
	ok = ok && len(id) == idLength && isText(id) && tagged == (tag != "") && isText(tag)
	return n, ok && (state == unparked || n.size() >= 0 && strconv.FormatInt(n.size(), 10) == state)
}

// isText tells whether s is of what rand.Text is made of.
func isText(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "" }

// Two halves of rand.Text, each of 65 bits.
const (
	familyLength = 13
	idLength     = 2 * familyLength
)
