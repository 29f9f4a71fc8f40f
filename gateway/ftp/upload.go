package ftp

import (
	"cmp"
	"context"
	"crypto/rand"
	"path"
	"strings"
)

// stor stores a file, after REST from there on (RFC 3659 §5). Restart points count octets of
// the file, which TYPE A and STRU R change on their way.
func (s *session) stor(ctx context.Context, arg string) (reply, error) {
	restart, ranged := s.params.restart, s.params.window != nil
	p, err := s.resolve(arg)
	switch {
	case err != nil:
		return reply{}, err
	case restart > 0 && ranged:
		return reply{}, errSequence
	case ranged:
		return reply{}, errMarker
	case restart > 0 && (s.params.ascii || s.params.records):
		return reply{}, errOffset
	}
	return s.upload(ctx, p, StoreOptions{Size: s.params.size, Offset: restart}, s.opening(p.Base()))
}

// stou stores under a name of its own, made from the one given if there is one. The form
// of its preliminary reply is fixed (RFC 1123 §4.1.2.9).
func (s *session) stou(ctx context.Context, arg string) (reply, error) {
	if blank(arg) {
		arg = ""
	}
	dir, base := path.Split(arg)
	ext := path.Ext(base)
	stem := cmp.Or(strings.TrimSuffix(base, ext), "upload")
	p, err := s.resolve(dir + stem + "-" + strings.ToLower(rand.Text()) + ext)
	switch {
	case err != nil:
		return reply{}, err
	case s.params.marked():
		return reply{}, errMarker
	}
	name := p.String()
	if p.Parent() == s.params.dir {
		name = p.Base()
	}
	return s.upload(ctx, p, StoreOptions{Size: s.params.size, Unique: true}, reply{code: 150, text: "FILE: " + name})
}

// appe goes on at the end of what is there: an upload that was cut off, or a file.
func (s *session) appe(ctx context.Context, arg string) (reply, error) {
	p, err := s.resolve(arg)
	switch {
	case err != nil:
		return reply{}, err
	case s.params.marked():
		return reply{}, errMarker
	}
	return s.upload(ctx, p, StoreOptions{Size: s.params.size, Append: true}, s.opening(p.Base()))
}

// opening is the preliminary reply of a transfer of which the size is not known.
func (s *session) opening(name string) reply {
	return reply{code: 150, text: "Opening " + s.typeName() + " mode data connection for " + name + "."}
}

func (s *session) typeName() string {
	if s.params.ascii {
		return "ASCII"
	}
	return "BINARY"
}

func (s *session) upload(ctx context.Context, p Path, o StoreOptions, opening reply) (reply, error) {
	if p.IsRoot() {
		return reply{}, ErrIsDir
	}
	t, err := s.newFileTransfer(ctx, p, "Receiving")
	if err != nil {
		return reply{}, err
	}
	t.upload = true
	return s.attend(ctx, t, func(ctx context.Context) (reply, error) { return t.store(ctx, o, opening) })
}
