package ftp

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"
)

// doing is what the current command does, for the log and the observer.
type doing struct {
	path     Path      // that it is about
	change   *change   // that it was to make; nil for none
	transfer *transfer // that it has had carried out; nil for none
}

// change is what a command was to change, other than by a transfer.
type change struct {
	from Path // of RNTO
}

// execute carries a command out, tells log and observer of it, and returns its final reply.
// It comes within itself, for what is answered during a transfer.
func (s *session) execute(ctx context.Context, cmd command) reply {
	began, outer := time.Now(), s.doing
	s.doing = doing{}
	row, verb := s.server.commands.index[cmd.verb], ""
	r, err := s.carryOut(ctx, row, cmd)
	took := time.Since(began)
	if row != nil {
		verb = row.verb
		s.record(ctx, verb, r.code, took, err)
	}
	s.observe(verb, r.code, began, took)
	s.doing = outer
	return r
}

// carryOut admits a command by its row, which is nil if there is none, and runs it.
func (s *session) carryOut(ctx context.Context, row *row, cmd command) (r reply, err error) {
	if err := s.revoked(); err != nil {
		return replyTo(err, existing), err
	}
	if row == nil {
		return s.reject(cmd), nil
	}
	r, refused := s.admit(row, cmd)
	if !refused {
		r, err = s.run(ctx, row, cmd.arg)
	}
	s.params.spend(row.spends)
	return r, err
}

// revoked tells why the account may not be used any more. A transfer that runs goes on to
// its end.
func (s *session) revoked() error {
	if a := s.login.account; a != nil && a.Revoked != nil && s.transfer == nil {
		if err := a.Revoked(); err != nil {
			return because(errRevoked, err)
		}
	}
	return nil
}

// record logs a command, as loud as its failure deserves.
func (s *session) record(ctx context.Context, verb string, code int, took time.Duration, err error) {
	attrs := append(make([]slog.Attr, 0, 7), slog.String("user", s.userName()), slog.String("verb", verb),
		slog.String("path", s.doing.path.String()), slog.Int("code", code), slog.Int64("bytes", s.doing.moved()),
		slog.String("took", took.String()))
	level := slog.LevelInfo
	if err != nil {
		attrs = append(attrs, slog.Any("err", err))
		level = levelOf(err)
	}
	s.log.LogAttrs(ctx, level, "command", attrs...)
}

// moved is how many octets a command has transferred.
func (d *doing) moved() int64 {
	if d.transfer == nil {
		return 0
	}
	return d.transfer.moved.Load()
}

// admit checks what a row demands and returns the refusal if it is not so.
func (s *session) admit(row *row, cmd command) (r reply, refused bool) {
	switch {
	case !row.clear && s.server.config.TLSRequired && s.security.binding == nil:
		return reply{code: 530, text: "TLS is required here; send AUTH TLS before USER."}, true
	case !row.open && s.login.account == nil:
		return reply{code: 530, text: "Log in with USER and PASS first."}, true
	case row.argument == required && cmd.arg == "":
		return reply{code: 501, text: "An argument is missing; see HELP for the form of the command."}, true
	case row.argument == none && !blank(cmd.arg):
		return reply{code: 501, text: "This command takes no argument."}, true
	}
	if row.order != nil {
		if refusal := row.order(s); refusal != nil {
			return *refusal, true
		}
	}
	return reply{}, false
}

// blank tells whether arg is nothing but spaces, which clients send after bare verbs.
func blank(arg string) bool {
	for i := range len(arg) {
		if arg[i] != ' ' {
			return false
		}
	}
	return true
}

// run calls the handler and turns its error into a reply. A panic costs the session, not
// the server, and its command still gets its one reply.
func (s *session) run(ctx context.Context, row *row, arg string) (r reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.logPanic(p)
			s.closing = true
			r = replyTo(err, row.names)
		}
	}()
	r, err = row.run(s, ctx, arg)
	if err == nil {
		return r, nil
	}
	if ctx.Err() != nil {
		err = because(context.Cause(ctx), err)
	}
	if errors.Is(err, errPanic) {
		s.closing = true
	}
	return replyTo(err, row.names), err
}

// logPanic logs a panic with its stack and returns the error that stands for it.
func (s *session) logPanic(p any) error {
	s.log.Error("panic", slog.Any("err", p), slog.String("stack", string(debug.Stack())))
	return errPanic
}

// reject answers a verb that there is no row for. An HTTP request, which a web page can
// have a browser send here, ends the session without a word, before its body is taken for
// commands.
func (s *session) reject(cmd command) reply {
	if speaksHTTP(cmd) && (cmd.verb != "" || s.login.account == nil) {
		s.log.Warn("not FTP", slog.String("remote", s.client.String()))
		s.hangUp()
		return reply{}
	}
	s.log.Info("unknown command", slog.String("user", s.userName()))
	if s.login.account == nil {
		if s.unknown++; s.unknown > maxUnknown {
			return reply{code: 421, text: "Too many unknown commands before login; closing."}
		}
	}
	return reply{code: 500, text: "Unknown command, or too long a line; HELP lists those that there are."}
}

// speaksHTTP tells whether a line looks like a request or a header of HTTP: it begins with
// a method, or with a word such as "Host:" that is no verb at all.
func speaksHTTP(cmd command) bool {
	switch cmd.verb {
	case "":
		return cmd.hasArg
	case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE":
		return true
	}
	return false
}
