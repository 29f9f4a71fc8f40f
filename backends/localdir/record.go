package localdir

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"causeway/backends"
)

const (
	// recordFrom is how many octets an upload has received when its record is written. What
	// is smaller is sent again sooner than it is looked for, and costs no second file.
	recordFrom = 1 << 20
	// recordVersion is that of the form of records. Those of a later one are left alone.
	recordVersion = 1
	// maxRecord bounds a record in octets: a key, an ETag and metadata.
	maxRecord = 1 << 20
	// bootID names the time since the machine has started, on Linux.
	bootID = "/proc/sys/kernel/random/boot_id"
	// draft is the end of the name of a record that is being written.
	draft = ".new"
)

// record is what must be known of an upload to go on with it: a small file of JSON beside
// that of the upload. While the machine runs on, all counts that was written, whatever has
// become of the process; after a crash of the machine, only what was synced.
type record struct {
	Version  int               `json:"version"`
	Key      string            `json:"key"`
	Boot     string            `json:"boot,omitempty"`   // when it was written, as bootID has it; "" if that is not known
	Synced   int64             `json:"synced,omitempty"` // octets that survive a crash of the machine
	IfMatch  string            `json:"if_match,omitempty"`
	IfAbsent bool              `json:"if_absent,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Tag      string            `json:"tag,omitempty"`
}

// durable is how many octets count of an upload whose file is info.
func (s *Store) durable(r record, info fs.FileInfo) int64 {
	if r.Boot != "" && r.Boot == s.boot {
		return info.Size()
	}
	return min(r.Synced, info.Size())
}

// boot is the machine's, "" where there is no telling.
func boot() string {
	id, err := os.ReadFile(bootID)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// tempName is the path of the file of an upload.
func tempName(id string) string { return own + "/" + id }

// recordName is the path of the record of an upload. It tells the directory of the key, so
// that who asks for one directory need not open the records of the others.
func recordName(id, key string) string { return tempName(id) + "." + dirSum(key) }

// dirSum stands for the directory that key is in.
func dirSum(key string) string {
	sum := sha256.Sum256([]byte(key[:strings.LastIndexByte(key, '/')+1]))
	return base32.StdEncoding.EncodeToString(sum[:10])
}

// parseRecordName takes the name of a record apart; false for those of other files.
func parseRecordName(name string) (id, dir string, ok bool) {
	id, dir, _ = strings.Cut(name, ".")
	return id, dir, isID(id) && len(dir) == 16 && isText(dir)
}

// isID tells whether id may be that of an upload: one of rand.Text.
func isID(id string) bool { return len(id) == 26 && isText(id) }

func isText(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "" }

// note writes a record that survives the process and not the machine, which is all that
// the octets do that it is for.
func (s *Store) note(id string, r record) error {
	return s.save(id, r, func(*os.File) error { return nil })
}

// keep writes a record that is durable when it returns.
func (s *Store) keep(id string, r record) error {
	if err := s.save(id, r, (*os.File).Sync); err != nil {
		return err
	}
	dir, err := s.root.OpenRoot(own)
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // it is only synced
	return s.syncDir(dir)
}

// save replaces the record at once, after sync.
func (s *Store) save(id string, r record, sync func(*os.File) error) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	temp := tempName(id) + draft
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = sync(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.root.Rename(temp, recordName(id, r.Key))
	}
	if err != nil {
		_ = s.root.Remove(temp) // the first error is the one to tell
	}
	return err
}

// load reads the record at a path. fs.ErrNotExist if there is none that can be read;
// errors.ErrUnsupported if a later version has written it.
func (s *Store) load(name string) (record, error) {
	f, err := s.root.OpenFile(name, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return record{}, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	content, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return record{}, err
	}
	var r record
	err = json.Unmarshal(content, &r)
	switch {
	case r.Version > recordVersion:
		return record{}, errors.ErrUnsupported
	case err != nil: // a crash of the machine may leave any part of what was not synced
		return record{}, fs.ErrNotExist
	}
	if id, _, ok := parseRecordName(path.Base(name)); !ok || !backends.ValidKey(r.Key) || recordName(id, r.Key) != name {
		return record{}, fs.ErrNotExist
	}
	return r, nil
}
