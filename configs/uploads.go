package configs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Uploads is how the end of uploads is judged, and for how long those that were cut off
// are kept, on all mounts.
type Uploads struct {
	Grace        Grace         `yaml:"grace"`
	ResumeWindow time.Duration `yaml:"resume_window"` // since the last octet; then the janitor ends them
}

// Grace is how long the control connection is watched for its end before an upload is
// committed.
type Grace time.Duration

// AutoGrace follows what the system knows of each client's way. It is the default.
const AutoGrace Grace = 0

// parseGrace reads "auto" or a duration above 0: without any grace a killed client's
// upload would be published.
func parseGrace(text string) (Grace, error) {
	if text == "auto" {
		return AutoGrace, nil
	}
	d, err := parseDuration(text)
	if err == nil && d == 0 {
		return 0, strconv.ErrRange
	}
	return Grace(d), err
}

// Incomplete says what becomes of an upload that was cut off.
type Incomplete string

// What may become of it.
const (
	Park    Incomplete = "park"    // kept, unseen by readers, to be resumed; the default
	Discard Incomplete = "discard" // nothing is left
	Publish Incomplete = "publish" // becomes the file, half or not
)

func (Incomplete) choices() []string {
	return []string{string(Park), string(Discard), string(Publish)}
}

// CloseNotify says what it proves that a TLS data connection ends without close_notify.
type CloseNotify string

// What it may prove.
const (
	CloseNotifyAuto     CloseNotify = "auto"  // a cut-off, once the account has ended one properly; the default
	CloseNotifyRequired CloseNotify = "true"  // always a cut-off
	CloseNotifyIgnored  CloseNotify = "false" // nothing
)

func (CloseNotify) choices() []string {
	return []string{string(CloseNotifyRequired), string(CloseNotifyIgnored), string(CloseNotifyAuto)}
}

// ALLO says what the size proves that a client announces.
type ALLO string

// What it may prove.
const (
	IgnoreALLO  ALLO = "ignore"  // nothing; the default
	EnforceALLO ALLO = "enforce" // that an upload with fewer octets was cut off
)

func (ALLO) choices() []string { return []string{string(IgnoreALLO), string(EnforceALLO)} }

// OverwritePolicy says what an upload or a rename onto a name that is taken does.
type OverwritePolicy string

// What it may do.
const (
	Replace  OverwritePolicy = "replace"   // the right to overwrite decides; the default
	Refuse   OverwritePolicy = "refuse"    // nobody replaces anything
	KeepBoth OverwritePolicy = "keep_both" // the new file gets a name of its own
)

func (OverwritePolicy) choices() []string {
	return []string{string(Replace), string(Refuse), string(KeepBoth)}
}

// ConcurrentUploads says what a second upload to a name that is being written does.
type ConcurrentUploads string

// What it may do.
const (
	LastWins     ConcurrentUploads = "last_wins" // both run, the last commit wins; the default
	RefuseSecond ConcurrentUploads = "refuse"    // the second is refused
)

func (ConcurrentUploads) choices() []string {
	return []string{string(LastWins), string(RefuseSecond)}
}

// OverwriteOf is what an upload to one of the user's mounts does with a name that is taken:
// the mount's own word, else the user's, else the default.
func (u User) OverwriteOf(m Mount) OverwritePolicy { return cmp.Or(m.Overwrite, u.Overwrite, Replace) }

// Judgement is what counts as a cut-off upload on one mount, and what becomes of it.
type Judgement struct {
	Incomplete  Incomplete
	CloseNotify CloseNotify
	ALLO        ALLO
}

// Judgement is that of one of the user's mounts: its own words, else the user's, else the
// defaults.
func (u User) Judgement(m Mount) Judgement {
	return Judgement{
		Incomplete:  cmp.Or(m.Incomplete, u.Incomplete, Park),
		CloseNotify: cmp.Or(m.CloseNotify, u.CloseNotify, CloseNotifyAuto),
		ALLO:        cmp.Or(m.ALLO, u.ALLO, IgnoreALLO),
	}
}

// maxGrace bounds the grace: a client waits that long for each 226.
const maxGrace = Grace(30 * time.Second)

// maxAzureWindow is how long Azure keeps blocks that are not committed (Put Block,
// remarks).
const maxAzureWindow = 7 * 24 * time.Hour

func (c *checker) uploads() {
	u := c.cfg.Uploads
	if u.Grace > maxGrace {
		c.wrong("uploads.grace", "is longer than any client waits", "write auto, or at most "+time.Duration(maxGrace).String())
	}
	c.positive("uploads.resume_window", int64(u.ResumeWindow), "24h; to keep nothing, set incomplete: discard on the mounts")
	azure := func(s Store) bool { return s.Kind == AzureBlob }
	if u.ResumeWindow > maxAzureWindow && slices.ContainsFunc(slices.Collect(maps.Values(c.cfg.Stores)), azure) {
		c.wrong("uploads.resume_window", "is longer than Azure keeps what is not committed", "write at most 168h")
	}
}

// renames judges the limit of directory renames of a mount.
func (c *checker) renames(field string, most int) {
	if c.given(field) {
		c.positive(field, int64(most), fmt.Sprint(DefaultRenameMax)+"; to forbid renames, leave rename out of rights")
	}
}
