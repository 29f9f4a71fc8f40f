package ftp

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"causeway/backends"
	"causeway/backends/ftp/ftpclient"
)

// Move is [backends.Mover.Move], by a rename. errors.ErrUnsupported for markers.
func (s *Store) Move(ctx context.Context, dst, src string, o backends.CopyOptions) (obj backends.Object, err error) {
	from, err := s.path(src)
	to, toErr := s.path(dst)
	if err = errors.Join(err, toErr); err == nil && (strings.HasSuffix(src, "/") || strings.HasSuffix(dst, "/")) {
		err = errors.ErrUnsupported
	}
	if err == nil {
		defer s.lockBoth(dst, src)()
		err = s.change(ctx, func(c *ftpclient.Conn) error {
			m := move{ctx: ctx, store: s, Conn: c, options: o}
			obj, err = m.file(dst, to, src, from)
			return err
		})
	}
	if err != nil {
		return backends.Object{}, fail("move", src, err)
	}
	return obj, nil
}

// lockBoth locks two keys, in an order that all share.
func (s *Store) lockBoth(a, b string) (unlock func()) {
	if a == b {
		return s.locks.lock(a)
	}
	first := s.locks.lock(min(a, b))
	second := s.locks.lock(max(a, b))
	return func() {
		second()
		first()
	}
}

type move struct {
	ctx     context.Context
	store   *Store
	options backends.CopyOptions
	*ftpclient.Conn
}

func (m move) file(dst, to, src, from string) (backends.Object, error) {
	obj, err := lookOn(m.ctx, m.Conn, src, from)
	switch {
	case err != nil:
		return backends.Object{}, err
	case !matches(m.options.SourceIfMatch, obj):
		return backends.Object{}, backends.ErrChanged
	}
	if err := m.allowed(dst, to); err != nil {
		return backends.Object{}, err
	}
	if dst != src {
		if err := m.rename(from, to); err != nil {
			return backends.Object{}, err
		}
	}
	obj.Key = dst
	want, set := backends.ParseModTime(m.options.Metadata[backends.MetaModTime])
	if !set {
		return obj, nil
	}
	if err := m.SetTime(m.ctx, to, want); err != nil && !m.Usable() {
		return backends.Object{}, err
	}
	return lookOn(m.ctx, m.Conn, dst, to)
}

// allowed looks whether what is at the destination may be replaced.
func (m move) allowed(dst, to string) error {
	e, err := m.Stat(m.ctx, to)
	switch {
	case errors.Is(err, fs.ErrNotExist) && m.options.IfMatch != "":
		return backends.ErrChanged
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case e.Dir, m.options.IfAbsent:
		return fs.ErrExist
	case !matches(m.options.IfMatch, describe(dst, factsOf(e))):
		return backends.ErrChanged
	}
	return nil
}

// rename makes the directories on the way. An answer that is lost with the connection leaves
// open what has happened: ErrUnavailable.
func (m move) rename(from, to string) error {
	if err := m.store.parents(m.ctx, m.Conn, to); err != nil {
		return err
	}
	return m.Rename(m.ctx, from, to)
}

// MoveTree is [backends.TreeMover.MoveTree].
func (s *Store) MoveTree(ctx context.Context, dst, src string) error {
	from, err := s.path(src)
	to, toErr := s.path(dst)
	err = errors.Join(err, toErr)
	if err == nil && strings.HasPrefix(dst, src) {
		err = fs.ErrInvalid
	}
	if err == nil {
		defer s.lockBoth(dst, src)()
		err = s.change(ctx, func(c *ftpclient.Conn) error {
			m := move{ctx: ctx, store: s, Conn: c}
			return m.tree(to, src, from)
		})
	}
	if err != nil {
		return fail("move", src, err)
	}
	return nil
}

func (m move) tree(to, src, from string) error {
	if _, err := lookOn(m.ctx, m.Conn, src, from); err != nil {
		return err
	}
	switch _, err := m.Stat(m.ctx, to); {
	case err == nil:
		return fs.ErrExist
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return m.rename(from, to)
}
