package ftp

import (
	"context"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// parameters are what commands set for later ones. A new login starts with new ones.
type parameters struct {
	dir     Path // working directory
	ascii   bool // TYPE A
	records bool // STRU R
	restart int64
	window  *window // RANG
	size    int64   // ALLO
	facts   factSet
	hash    string
	route   route         // to the next data connection; nil before PORT, PASV …
	refused *refusedRoute // nil for none
	epsvAll bool
	rename  *pendingRename // after RNFR
}

// pendingRename is what RNFR has begun.
type pendingRename struct {
	from Path
	to   func(context.Context, Path) error
	at   uint64 // serial number of RNFR
}

// window is a range of octets, from the first to the last.
type window struct{ first, last int64 }

// newParameters gives the defaults of RFC 959 §5.1: TYPE A, STRU F, MODE S.
func newParameters() parameters {
	return parameters{ascii: true, facts: defaultFacts, hash: defaultHash}
}

// useRoute replaces the way to the next data connection; nil for none.
func (p *parameters) useRoute(r route) {
	p.closeRefused()
	if p.route != nil {
		p.route.close()
	}
	p.route = r
}

// refusedRoute is one whose command came to nothing before a data connection was used. It
// stays open for a moment: clients look at the data connection before they read the reply,
// and one that is reset hides from them why (curl then says that PASV has failed).
type refusedRoute struct {
	route
	timer *time.Timer // closes it
}

// refusedFor is that moment.
const refusedFor = time.Second

// refuseRoute gives up a route in a moment, or before the next one.
func (p *parameters) refuseRoute(r route) {
	if r == nil {
		return
	}
	p.closeRefused()
	p.refused = &refusedRoute{r, time.AfterFunc(refusedFor, r.close)}
}

// closeRefused ends the wait of refuseRoute.
func (p *parameters) closeRefused() {
	if p.refused != nil {
		p.refused.timer.Stop()
		p.refused.close()
		p.refused = nil
	}
}

// spend forgets what was set for one transfer.
func (p *parameters) spend(what spending) {
	if what >= marker {
		p.restart, p.window = 0, nil
	}
	if what >= everything {
		p.size = 0
		p.refuseRoute(p.route)
		p.route = nil
	}
}

// marked tells whether REST or RANG has chosen a part of the next file.
func (p *parameters) marked() bool { return p.restart > 0 || p.window != nil }

// resolve turns the argument of a command into a path.
func (s *session) resolve(arg string) (Path, error) {
	name, err := s.decode(arg)
	if err != nil {
		return Path{}, because(fs.ErrInvalid, err)
	}
	p, err := s.params.dir.Join(name)
	if err == nil {
		s.doing.path = p
	}
	return p, err
}

// target is resolve for what is to be changed, or made of from by a rename.
func (s *session) target(arg string, from Path) (Path, error) {
	s.doing.change = &change{from: from}
	return s.resolve(arg)
}

func (s *session) typ(_ context.Context, arg string) (reply, error) {
	switch strings.ToUpper(arg) {
	case "A", "A N", "A T", "A C":
		s.params.ascii = true
		return done(200, "Type is ASCII.")
	case "I", "L 8", "L8":
		s.params.ascii = false
		return done(200, "Type is binary.")
	}
	return done(504, "That type is not offered; use TYPE A, TYPE I or TYPE L 8.")
}

func (s *session) stru(_ context.Context, arg string) (reply, error) {
	switch strings.ToUpper(arg) {
	case "F":
		s.params.records = false
		return done(200, "Structure is file.")
	case "R":
		s.params.records = true
		return done(200, "Structure is record.")
	}
	return done(504, "That structure is not offered; use STRU F or STRU R.")
}

func (s *session) mode(_ context.Context, arg string) (reply, error) {
	if strings.EqualFold(arg, "S") {
		return done(200, "Mode is stream.")
	}
	return done(504, "That mode is not offered; use MODE S.")
}

// rest takes any offset: whether the file is as long shows at the transfer (RFC 3659 §5).
func (s *session) rest(_ context.Context, arg string) (reply, error) {
	offset, err := parseREST(arg)
	if err != nil {
		return reply{}, err
	}
	s.params.restart = offset
	if offset == 0 {
		return done(350, "Starting at 0; send RETR or STOR.")
	}
	return done(350, "Restarting at "+strconv.FormatInt(offset, 10)+"; send RETR or STOR.")
}

func (s *session) rang(_ context.Context, arg string) (reply, error) {
	first, last, reset, err := parseRANG(arg)
	switch {
	case err != nil:
		return reply{}, err
	case reset:
		s.params.window = nil
		return done(350, "The whole file is taken again.")
	}
	s.params.window = &window{first, last}
	return done(350, "Range is taken; send RETR or HASH.")
}

// allo refuses what could never be stored here. What is left may be enough all the same,
// since the file may take the place of another: that is seen by the transfer command, as
// is what cannot be told now.
func (s *session) allo(ctx context.Context, arg string) (reply, error) {
	size, err := parseALLO(arg)
	if err != nil {
		return reply{}, err
	}
	quotas, err := s.login.account.FS.Quota(ctx, s.params.dir)
	if err != nil {
		s.log.Debug("quota is not known", slog.Any("err", err))
	}
	for _, q := range quotas {
		if q.MaxBytes > 0 && size > q.MaxBytes {
			return reply{}, ErrQuota
		}
	}
	s.params.size = size
	return done(200, "Noted.")
}

func (s *session) opts(_ context.Context, arg string) (reply, error) {
	name, value, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(name) {
	case "UTF8", "UTF-8":
		return s.optsUTF8(value)
	case "MLST":
		return s.optsMLST(value)
	case "HASH":
		return s.optsHash(value)
	}
	return done(501, "That command has no options; use OPTS UTF8, OPTS MLST or OPTS HASH.")
}

// optsUTF8 is in no RFC. Clients send it before USER or after PASS and go on in UTF-8 once
// they have read 200, otherwise in their own code page.
func (s *session) optsUTF8(value string) (reply, error) {
	switch strings.ToUpper(strings.TrimSpace(value)) {
	case "", "ON", "NLST":
		s.login.utf8 = true
		return done(200, "UTF8 mode is on.")
	case "OFF":
		switch {
		case s.login.account == nil && s.login.utf8:
			s.login.utf8 = false
			return done(200, "UTF8 mode is up to the account again.")
		case s.login.account != nil && s.login.account.Charset != nil:
			s.login.utf8 = false
			return done(200, "UTF8 mode is off; names are in the charset of this account.")
		}
	}
	return done(504, "UTF8 mode cannot be turned off; use OPTS UTF8 ON.")
}

func (s *session) optsMLST(value string) (reply, error) {
	facts, err := parseFacts(value)
	if err != nil {
		return reply{}, err
	}
	s.params.facts = facts
	return done(200, strings.TrimSuffix("MLST OPTS "+facts.String(), " "))
}

func (s *session) optsHash(value string) (reply, error) {
	if value == "" {
		return done(200, s.params.hash)
	}
	_, name, err := newHash(value)
	if err != nil {
		return done(501, "Unknown algorithm; FEAT lists those that there are.")
	}
	s.params.hash = name
	return done(200, name)
}

func (s *session) featUTF8() string {
	if s.charset() != nil {
		return ""
	}
	return "UTF8"
}

func (s *session) featMLST() string { return "MLST " + s.params.facts.feat() }

func (s *session) featHash() string { return "HASH " + hashFeat(s.params.hash) }
