package ftp

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// maxStatLines bounds a listing on the control connection.
const maxStatLines = 1000

func (s *session) noop(context.Context, string) (reply, error) {
	return done(200, "Done.")
}

func (s *session) clnt(context.Context, string) (reply, error) {
	return done(200, "Noted.")
}

func (s *session) syst(context.Context, string) (reply, error) {
	if s.manners().DOSListing {
		return done(215, "Windows_NT")
	}
	return done(215, "UNIX Type: L8")
}

func (s *session) smnt(context.Context, string) (reply, error) {
	return done(502, "There is nothing else to mount; use CWD.")
}

// lang is RFC 2640 §4.1. Replies are in English, whatever the region.
func (s *session) lang(_ context.Context, tag string) (reply, error) {
	language, _, _ := strings.Cut(tag, "-")
	if tag == "" || strings.EqualFold(language, "EN") {
		return done(200, "Replies are in English.")
	}
	return done(504, "That language is not offered; use LANG EN.")
}

// features lists what works beyond RFC 959 (RFC 2389 §3).
func (s *session) features(context.Context, string) (reply, error) {
	r := reply{code: 211, head: "Extensions:", text: "End"}
	for _, row := range s.server.commands.rows {
		if row.feat == nil {
			continue
		}
		if line := row.feat(s); line != "" {
			r.lines = append(r.lines, " "+line)
		}
	}
	return r, nil
}

func (s *session) help(_ context.Context, topic string) (reply, error) {
	if blank(topic) {
		return s.helpAll(), nil
	}
	row, found := s.server.commands.index[strings.ToUpper(topic)]
	if !found {
		return done(502, "There is no such command; HELP lists those that there are.")
	}
	if row.help == "" {
		return done(214, "Syntax: "+row.verb)
	}
	return done(214, "Syntax: "+row.verb+" "+row.help)
}

func (s *session) helpAll() reply {
	const perLine = 8
	r := reply{code: 214, head: "Commands:", text: "HELP with a command shows its form."}
	for i, row := range s.server.commands.rows {
		if i%perLine == 0 {
			r.lines = append(r.lines, "")
		}
		r.lines[i/perLine] += " " + row.verb
	}
	return r
}

// stat tells of the transfer that runs, of a file or directory, or of the session.
func (s *session) stat(ctx context.Context, arg string) (reply, error) {
	switch {
	case s.transfer != nil:
		return s.statTransfer(), nil
	case !blank(arg):
		return s.statPath(ctx, arg)
	}
	return s.statSession(), nil
}

// statTransfer has the form in which clients look for the octets stored so far.
func (s *session) statTransfer() reply {
	t := s.transfer
	line := fmt.Sprintf(" %s file %s (%d bytes)", t.doing, t.path, t.moved.Load())
	return reply{code: 211, head: "Transfer in progress:", lines: []string{line}, text: "End"}
}

func (s *session) statSession() reply {
	protection := "in clear"
	if s.security.binding != nil {
		protection = "protected by TLS"
	}
	structure := "file"
	if s.params.records {
		structure = "record"
	}
	return reply{
		code: 211,
		head: "Status:",
		lines: []string{
			" Logged in as " + s.login.account.Name,
			" Working directory " + s.params.dir.String(),
			" Control connection " + protection,
			" TYPE " + s.typeName() + ", STRU " + structure + ", MODE stream",
			" Idle time limit " + s.idle.Round(time.Second).String(),
		},
		text: "End",
	}
}

// statPath lists on the control connection (RFC 959 §4.1.3).
func (s *session) statPath(ctx context.Context, arg string) (reply, error) {
	l, err := s.parseListing(arg)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := reply{code: 213, head: "Listing:", text: "End"}
	format := longFormat(s.manners())
	for e, err := range l.entries(ctx, s.login.account.FS) {
		if err != nil {
			return reply{}, err
		}
		if len(r.lines) == maxStatLines {
			r.text = "End; there is more, use LIST"
			break
		}
		r.lines = append(r.lines, strings.TrimSuffix(string(format(nil, e)), "\r\n"))
	}
	return r, nil
}
