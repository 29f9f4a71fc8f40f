package configs

import (
	"fmt"
	"strings"
)

// Quota bounds what the keys below a mount's prefix may be together, whoever writes them.
// The zero value is no bound.
type Quota struct {
	Bytes Size `yaml:"bytes"` // 0 is any number
	Files int  `yaml:"files"` // 0 is any number
}

// RetentionAction says what becomes of files that are too old.
type RetentionAction string

// What may become of them.
const (
	RetentionDelete RetentionAction = "delete" // the default
	RetentionMove   RetentionAction = "move"   // to keys that begin with Retention.To
)

func (RetentionAction) choices() []string {
	return []string{string(RetentionDelete), string(RetentionMove)}
}

// Retention ends the files below a mount that are older than so many days, by the store's
// clock. The zero value keeps all.
type Retention struct {
	Days   int             `yaml:"days"`
	Action RetentionAction `yaml:"action"`  // "" is RetentionDelete
	To     string          `yaml:"to"`      // a prefix of the same store, ending in "/"
	DryRun bool            `yaml:"dry_run"` // nothing is done but to log what would be
}

// Enabled tells whether anything is ever too old.
func (r Retention) Enabled() bool { return r.Days > 0 }

// returns tells whether what is moved out of a prefix comes below it again, or might.
func (r Retention) returns(prefix string) bool {
	return r.To != "" && (strings.HasPrefix(r.To, prefix) || strings.HasPrefix(prefix, r.To))
}

// maxDays is a thousand years, which no clock is past.
const maxDays = 365_000

func (c *checker) quota(field string, q Quota) {
	if !c.given(field) || c.inside(field) {
		return
	}
	bytes, files := c.given(field+".bytes"), c.given(field+".files")
	if !bytes && !files {
		c.wrong(field, "limits nothing", "write for example {bytes: 10GiB, files: 10000}")
	}
	if bytes {
		c.positive(field+".bytes", int64(q.Bytes), "10GiB; to store nothing, leave write out of rights")
	}
	if files {
		c.positive(field+".files", int64(q.Files), "10000; to store nothing, leave write out of rights")
	}
}

func (c *checker) retention(field string, m Mount) {
	if !c.given(field) || c.inside(field) {
		return
	}
	r := m.Retention
	if c.required(field+".days", "write after how many days files go, such as 30") && (r.Days < 1 || r.Days > maxDays) {
		c.wrong(field+".days", fmt.Sprintf("%d is not a number of days", r.Days), fmt.Sprintf("write 1 to %d", maxDays))
	}
	to := field + ".to"
	switch {
	case r.Action != RetentionMove && c.given(to):
		c.wrong(to, "nothing is moved there", "write action: move, or remove the key")
	case r.Action != RetentionMove:
	case !c.given(to):
		c.wrong(to, "is missing", "write a prefix of the same store, such as archive/")
	case r.To == "", r.returns(m.Prefix):
		c.wrong(to, "has the mount in it, or is in it", "write a prefix beside the mount's own, such as archive/")
	default:
		c.prefix(to, r.To)
	}
}
