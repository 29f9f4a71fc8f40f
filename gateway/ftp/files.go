package ftp

import (
	"context"
	"io/fs"
	"strconv"
	"time"
)

func (s *session) cwd(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	return s.enter(ctx, p)
}

// cdup answers with the code of CWD (RFC 959 appendix II); the root is its own parent.
func (s *session) cdup(ctx context.Context, _ string) (reply, error) {
	return s.enter(ctx, s.params.dir.Parent())
}

func (s *session) enter(ctx context.Context, p Path) (reply, error) {
	if err := s.login.account.FS.Enter(ctx, p); err != nil {
		return reply{}, err
	}
	s.params.dir = p
	return done(250, "Directory changed.")
}

func (s *session) pwd(context.Context, string) (reply, error) {
	return done(257, quoted(s.params.dir)+" is the current directory")
}

// mkd answers with the absolute path (RFC 959 appendix II).
func (s *session) mkd(ctx context.Context, arg string) (reply, error) {
	p, err := s.target(arg, Path{})
	if err == nil && p.IsRoot() {
		err = fs.ErrExist
	}
	if err == nil {
		err = s.login.account.FS.Mkdir(ctx, p)
	}
	if err != nil {
		return reply{}, err
	}
	return done(257, quoted(p)+" is created")
}

func (s *session) rmd(ctx context.Context, arg string) (reply, error) {
	p, err := s.target(arg, Path{})
	if err == nil && p.IsRoot() {
		err = fs.ErrPermission
	}
	if err == nil {
		err = s.login.account.FS.Rmdir(ctx, p)
	}
	if err != nil {
		return reply{}, err
	}
	return done(250, "Directory removed.")
}

func (s *session) dele(ctx context.Context, arg string) (reply, error) {
	p, err := s.target(arg, Path{})
	if err == nil {
		err = s.login.account.FS.Delete(ctx, p)
	}
	if err != nil {
		return reply{}, err
	}
	return done(250, "File deleted.")
}

func (s *session) rnfr(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err == nil && p.IsRoot() {
		err = fs.ErrPermission
	}
	if err != nil {
		return reply{}, err
	}
	to, err := s.login.account.FS.Rename(ctx, p)
	if err != nil {
		return reply{}, err
	}
	s.params.rename = &pendingRename{from: p, to: to, at: s.serial}
	return done(350, "Send RNTO with the new name.")
}

// rnto may copy all of a directory, so it runs beside the session: the client can ask with
// NOOP or STAT. What has begun is not given up because the client has: half of it would be
// the worst of all ends.
func (s *session) rnto(ctx context.Context, arg string) (reply, error) {
	r := s.params.rename
	s.params.rename = nil
	p, err := s.target(arg, r.from)
	if err != nil {
		return reply{}, err
	}
	t := s.newTransfer(ctx, p, "Renaming to")
	t.lasting = true
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) {
		if err := r.to(ctx, p); err != nil {
			return reply{}, err
		}
		return done(250, "Renamed.")
	})
}

// size is the number of octets that RETR would send. In TYPE A and STRU R that is known
// only by reading the file, and estimates are forbidden (RFC 3659 §4).
func (s *session) size(ctx context.Context, arg string) (reply, error) {
	switch {
	case s.params.ascii:
		return reply{}, errASCIISize
	case s.params.records:
		return reply{}, errRecordSize
	}
	e, err := s.describe(ctx, arg, StatOptions{})
	if err != nil {
		return reply{}, err
	}
	if e.Dir {
		return reply{}, ErrIsDir
	}
	return done(213, strconv.FormatInt(e.Size, 10))
}

func (s *session) describe(ctx context.Context, arg string, o StatOptions) (Entry, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return Entry{}, err
	}
	return s.login.account.FS.Stat(ctx, p, o)
}

// mdtm tells a modification time in UTC (RFC 3659 §3), or sets it, as clients do that know
// no MFMT.
func (s *session) mdtm(ctx context.Context, arg string) (reply, error) {
	if t, name, set := parseMDTM(arg); set {
		if _, err := s.setTime(ctx, name, t); err != nil {
			return reply{}, err
		}
		return done(213, formatTime(t))
	}
	e, err := s.describe(ctx, arg, StatOptions{Complete: true})
	if err != nil {
		return reply{}, err
	}
	if !timeKnown(e.ModTime) {
		return done(550, "The modification time is not known.")
	}
	return done(213, formatTime(e.ModTime))
}

func (s *session) mfmt(ctx context.Context, arg string) (reply, error) {
	t, name, set := parseMDTM(arg)
	if !set {
		return reply{}, errSyntax
	}
	p, err := s.setTime(ctx, name, t)
	if err != nil {
		return reply{}, err
	}
	return done(213, "Modify="+formatTime(t)+"; "+p.String())
}

func (s *session) setTime(ctx context.Context, name string, t time.Time) (Path, error) {
	p, err := s.target(name, Path{})
	if err != nil {
		return Path{}, err
	}
	return p, s.login.account.FS.SetTime(ctx, p, t)
}

func (s *session) avbl(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	n, err := s.login.account.FS.Space(ctx, p)
	if err != nil {
		return reply{}, err
	}
	return done(213, strconv.FormatInt(n, 10))
}

func (s *session) mlst(ctx context.Context, arg string) (reply, error) {
	e, err := s.describe(ctx, arg, StatOptions{Complete: true})
	if err != nil {
		return reply{}, err
	}
	facts := appendFacts([]byte{' '}, e, s.params.facts, entryType(e))
	return reply{
		code:  250,
		head:  "Facts:",
		lines: []string{string(facts) + " " + s.doing.path.String()},
		text:  "End",
	}, nil
}
