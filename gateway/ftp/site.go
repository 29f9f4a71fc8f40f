package ftp

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// minIdle is the shortest time limit that SITE IDLE sets.
const minIdle = 30 * time.Second

// site has the commands that clients expect of a UNIX server.
func (s *session) site(ctx context.Context, arg string) (reply, error) {
	verb, rest, _ := strings.Cut(arg, " ")
	switch strings.ToUpper(verb) {
	case "HELP":
		return s.siteHelp()
	case "CHMOD":
		return s.siteChmod(ctx, rest)
	case "IDLE":
		return s.siteIdle(rest)
	case "QUOTA":
		return s.siteQuota(ctx, rest)
	case "UMASK":
		return s.siteUmask(rest)
	case "UTIME":
		return s.siteUtime(ctx, rest)
	}
	if s.manners().AnySite {
		return done(200, "Noted.")
	}
	return done(504, "Unknown SITE command; SITE HELP lists those that there are.")
}

func (s *session) siteHelp() (reply, error) {
	return reply{
		code: 214,
		head: "SITE commands:",
		lines: []string{
			" CHMOD <SP> mode <SP> path",
			" HELP",
			" IDLE [<SP> seconds]",
			" QUOTA [<SP> path]",
			" UMASK [<SP> mode]",
			" UTIME <SP> YYYYMMDDhhmm[ss] <SP> path",
			" UTIME <SP> path <SP> atime <SP> mtime <SP> ctime <SP> UTC",
		},
		text: "End",
	}, nil
}

// siteChmod makes sure that the file is there. Objects have no modes: what an account may
// do is for the server to say.
func (s *session) siteChmod(ctx context.Context, arg string) (reply, error) {
	mode, name, _ := strings.Cut(arg, " ")
	if !octal(mode) || name == "" {
		return reply{}, errSyntax
	}
	if _, err := s.describe(ctx, name, StatOptions{}); err != nil {
		return reply{}, err
	}
	return done(200, "Noted; permissions are set by the server's configuration.")
}

func (s *session) siteUmask(mode string) (reply, error) {
	switch {
	case mode == "":
		return done(200, "UMASK is 022.")
	case !octal(mode):
		return reply{}, errSyntax
	}
	return done(200, "Noted; permissions are set by the server's configuration.")
}

// octal tells whether mode is permissions in octal, as of CHMOD.
func octal(mode string) bool {
	n, err := strconv.ParseUint(mode, 8, 16)
	return err == nil && n <= 0o7777
}

// siteIdle tells or sets the idle time limit, within that of the server.
func (s *session) siteIdle(arg string) (reply, error) {
	longest := s.server.config.Limits.IdleTimeout
	if arg == "" {
		return done(200, "Idle time limit is "+seconds(s.idle)+" seconds, "+seconds(longest)+" at most.")
	}
	n, err := parseOctets(arg)
	if err != nil {
		return reply{}, err
	}
	wanted := time.Duration(min(n, int64(longest/time.Second))) * time.Second
	s.idle = max(wanted, min(minIdle, longest))
	return done(200, "Idle time limit is "+seconds(s.idle)+" seconds.")
}

// siteQuota tells what a directory holds and may hold.
func (s *session) siteQuota(ctx context.Context, arg string) (reply, error) {
	dir, err := s.resolve(arg)
	if err != nil {
		return reply{}, err
	}
	quotas, err := s.login.account.FS.Quota(ctx, dir)
	if err != nil {
		return reply{}, err
	}
	if len(quotas) == 0 {
		return done(200, "There is no quota.")
	}
	r := reply{code: 200, head: "Quota, of files stored, parked and on their way:", text: "End"}
	for _, q := range quotas {
		r.lines = append(r.lines, " "+ofLimit(q.Bytes, q.MaxBytes)+" bytes and "+ofLimit(q.Files, q.MaxFiles)+" files in "+q.Dir.String())
	}
	return r, nil
}

func ofLimit(n, limit int64) string {
	text := strconv.FormatInt(n, 10)
	if limit > 0 {
		text += " of " + strconv.FormatInt(limit, 10)
	}
	return text
}

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(d/time.Second), 10)
}

func (s *session) siteUtime(ctx context.Context, arg string) (reply, error) {
	t, name, err := parseUTIME(arg)
	if err != nil {
		return reply{}, err
	}
	if _, err := s.setTime(ctx, name, t); err != nil {
		return reply{}, err
	}
	return done(200, "Modification time is set.")
}
