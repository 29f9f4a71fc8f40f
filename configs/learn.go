package configs

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// LearnAccounts is an FTP server that clients have logged in to before. Who can log in there
// and is not known here gets an account.
type LearnAccounts struct {
	From              string        `yaml:"from"`               // as [Store.URL], without a directory
	Into              string        `yaml:"into"`               // the users file of an earlier source, as [AccountSource.Place] has it
	Template          string        `yaml:"template"`           // of the accounts; a key of Config.Templates
	Until             Date          `yaml:"until"`              // the last day on which the server is asked
	CA                string        `yaml:"ca"`                 // PEM file of who may sign its certificate; "" is the system's
	CertificateSHA256 string        `yaml:"certificate_sha256"` // in hexadecimal; the one certificate that is trusted
	Cleartext         bool          `yaml:"cleartext"`          // ftp to other machines
	Timeout           time.Duration `yaml:"timeout"`            // of one login there; 10 s if 0
	Guesses           int           `yaml:"guesses_per_minute"` // that may be refused there before it is asked no more; 30 if 0
}

// IntoOf is the index of the source whose users file the accounts are learnt into; -1 if
// there is none.
func (c *Config) IntoOf(l *LearnAccounts) int {
	return slices.IndexFunc(c.Accounts, func(a AccountSource) bool {
		return a.Store != "" && a.Place() == l.Into || a.File != "" && sameFile(a.File, l.Into)
	})
}

// intoStore tells whether accounts are learnt into a users file in a store.
func (c *Config) intoStore(l *LearnAccounts) bool {
	return slices.ContainsFunc(c.Accounts, func(a AccountSource) bool { return a.Store != "" && a.Place() == l.Into })
}

// Learns is where accounts are learnt from on a day, with whom it is asked until when; nil
// if nowhere.
func (c *Config) Learns(now time.Time) *LearnAccounts {
	for _, a := range c.Accounts {
		if a.Learn != nil && now.Before(a.Learn.Until.End()) {
			return a.Learn
		}
	}
	return nil
}

// PinnedCertificate is as [Store.PinnedCertificate].
func (l *LearnAccounts) PinnedCertificate() ([]byte, error) {
	return Store{CertificateSHA256: l.CertificateSHA256}.PinnedCertificate()
}

func (c *checker) learnAccounts(field string, i int) {
	l := c.cfg.Accounts[i].Learn
	if l == nil {
		return
	}
	c.oldServer(field, l)
	c.learntInto(field+".into", l, i)
	c.learntTemplate(field+".template", l.Template)
	c.required(field+".until", "write the last day on which the old server is asked, such as 2027-03-31")
	c.optionalTimeout(field+".timeout", l.Timeout)
	if c.given(field + ".guesses_per_minute") {
		c.positive(field+".guesses_per_minute", int64(l.Guesses), "30")
	}
	if i < len(c.cfg.Accounts)-1 {
		c.wrong(field, "does not tell unknown names from wrong passwords, so that nobody behind it is ever asked", "put it last")
	}
}

// oldServer judges where the server is and how it is reached.
func (c *checker) oldServer(field string, l *LearnAccounts) {
	from := field + ".from"
	c.filled(from, l.From, "write the address of the old server, such as ftps://old.example")
	if l.From == "" {
		return
	}
	c.ftpURL(from, l.From)
	u, err := url.Parse(l.From)
	switch {
	case err != nil || c.has(from):
	case strings.Trim(u.Path, "/") != "":
		c.wrong(from, "holds a directory", "remove what follows the host")
	case u.Scheme == "ftp" && !l.Cleartext && !onThisMachine(u.Hostname()):
		c.wrong(from, "passwords would go to another machine in clear", "write ftps://, or set cleartext: true")
	}
	c.ftpTrust(field, Store{URL: l.From, CA: l.CA, CertificateSHA256: l.CertificateSHA256})
}

func (c *checker) learntInto(field string, l *LearnAccounts, i int) {
	c.filled(field, l.Into, "name the users file that the accounts are to be in")
	if l.Into == "" {
		return
	}
	switch into := c.cfg.IntoOf(l); {
	case into < 0:
		c.wrong(field, fmt.Sprintf("%q is none of the users files", filepath.Base(l.Into)), "write it before this source, as {file: ...}; or STORE:KEY for {store: STORE, key: KEY}")
	case into > i:
		c.wrong(field, fmt.Sprintf("is the file of accounts[%d], which is asked after the old server", into), "put the file first")
	}
}

// learntTemplate judges a template of whose users nothing is known but the name.
func (c *checker) learntTemplate(field, name string) {
	c.filled(field, name, "name the template of the accounts")
	c.sourceTemplate(field, name)
	for mark := range marks(c.cfg.Templates[name].Mounts) {
		if "{"+mark+"}" != UserMark {
			c.wrong(field, fmt.Sprintf("the template needs {%s}, which the old server does not tell", mark), "name one with no marks but "+UserMark)
			return
		}
	}
}
