package vfs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"causeway/backends"
	"causeway/backends/readahead"
	"causeway/gateway/ftp"
)

// at is the place of a source under one of the two directories.
func (s source) at(dir place) place {
	return place{path: dir.path, mount: dir.mount, key: dir.dir() + s.Name}
}

// copy makes the copy of one object, unless it is there from an attempt before. What else
// has its name is never replaced.
func (r *treeRename) copy(ctx context.Context, s source) error {
	from, to := s.at(r.src), s.at(r.dst)
	copied, err := from.copyTo(ctx, to, backends.CopyOptions{SourceIfMatch: s.ETag, IfAbsent: true})
	switch {
	case errors.Is(err, fs.ErrExist) && s.marker() && s.size == 0:
		return nil // all markers are the same
	case errors.Is(err, fs.ErrExist):
		return s.compare(ctx, from, to, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ftp.ErrChanged, err) // the source has gone since it was listed
	case err == nil && copied.Size != s.size:
		return &backends.Error{Op: "copy", Key: to.key, Kind: backends.ErrUnavailable, Err: fmt.Errorf("%d octets of %d", copied.Size, s.size)}
	case err == nil:
		r.fs.names.filled(to.name())
	}
	return err
}

// compare returns nil if the object that has taken a copy's name has the same content as
// the source, and else why the copy was refused. Only that can be proven after a crash, and
// only that matters: to delete the source loses nothing then.
func (s source) compare(ctx context.Context, from, to place, refused error) error {
	a, err := from.store.Stat(ctx, from.key, backends.StatOptions{Complete: true})
	if err != nil {
		return err
	}
	// An ETag of a listing may say less than one of a look: then who opens it hears whether it
	// is this version.
	exact := a.ETag == s.ETag
	if a.ETag = s.ETag; a.Size != s.size {
		return refuse("rename", from.path, ftp.ErrChanged)
	}
	b, err := to.store.Stat(ctx, to.key, backends.StatOptions{Complete: true})
	if err != nil {
		return err
	}
	same := a.Size == b.Size
	if same && (!exact || !sameSum(a, b)) {
		same, err = sameContent(ctx, from, to, a, b)
	}
	if err == nil && !same {
		return refused
	}
	return err
}

// sameSum tells whether a checksum that both stores keep is the same.
func sameSum(a, b backends.Object) bool {
	for sum, value := range a.Sums {
		if len(value) > 0 && sum != backends.CRC32 && bytes.Equal(value, b.Sums[sum]) {
			return true
		}
	}
	return a.Size == 0 && b.Size == 0
}

// sameContent reads both.
func sameContent(ctx context.Context, from, to place, a, b backends.Object) (bool, error) {
	x, err := readahead.Open(ctx, from.store, from.key, backends.OpenOptions{IfMatch: a.ETag})
	if err != nil {
		return false, err
	}
	defer x.Close() //nolint:errcheck // it was only read
	y, err := readahead.Open(ctx, to.store, to.key, backends.OpenOptions{IfMatch: b.ETag})
	if err != nil {
		return false, err
	}
	defer y.Close() //nolint:errcheck // it was only read
	return equal(x, y)
}

// equal reads both to the end of the shorter, or to where they differ.
func equal(x, y io.Reader) (bool, error) {
	const window = 64 << 10
	p, q := make([]byte, window), make([]byte, window)
	x, y = bufio.NewReaderSize(x, window), bufio.NewReaderSize(y, window)
	for {
		n, errX := io.ReadFull(x, p)
		m, errY := io.ReadFull(y, q)
		if err := errors.Join(failure(errX), failure(errY)); err != nil {
			return false, err
		}
		if !bytes.Equal(p[:n], q[:m]) {
			return false, nil
		}
		if errX != nil {
			return errY != nil, nil
		}
	}
}

// failure is err unless that is the end of a content.
func failure(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // as ReadFull returns them; what wraps them is a failure
		return nil
	}
	return err
}

// sweeps is how often what was copied is deleted: a migration may make copies of what is behind
// the directory at the same time.
const sweeps = 5

// late tells whether what is there again, where ours was deleted, may be a copy of ours, which was
// behind: then it has another ETag. A directory that is behind stays there while such a copy is
// in it.
func late(there, ours source) bool {
	if there.marker() {
		return strings.HasPrefix(there.ETag, backends.BehindETag)
	}
	return strings.HasPrefix(ours.ETag, backends.BehindETag) && there.ETag != ours.ETag
}

// clear deletes what was copied, and tells whether anything is left of the directory: what came to
// it, or changed in it, while it was renamed.
func (r *treeRename) clear(ctx context.Context, j *journal) (left bool, err error) {
	defer r.hold(ctx, j)()
	ours := map[string]source{}
	for _, s := range j.sources {
		ours[s.Name] = s
	}
	sources := j.sources
	for range sweeps {
		if err := r.deleteAll(ctx, sources); err != nil {
			return false, err
		}
		there, err := r.sources(ctx)
		if errors.Is(err, ftp.ErrTooMany) {
			return true, nil
		}
		sources = nil
		for _, s := range there {
			if our, ok := ours[s.Name]; ok && late(s, our) {
				sources = append(sources, our)
			}
		}
		if left = len(there) > 0; err != nil || len(sources) == 0 {
			return left, err
		}
	}
	return left, nil
}

// deleteAll deletes what was copied: files, then markers from the deepest up, since a store
// with real directories removes only empty ones.
func (r *treeRename) deleteAll(ctx context.Context, sources []source) error {
	sources, err := r.copied(ctx, sources)
	if err != nil {
		return err
	}
	levels := map[int][]source{}
	for _, s := range sources {
		levels[s.depth()] = append(levels[s.depth()], s)
	}
	depths := slices.Sorted(maps.Keys(levels))
	for _, depth := range slices.Backward(depths) {
		if err := r.each(ctx, "deleted", levels[depth], r.delete); err != nil {
			return err
		}
	}
	return nil
}

// copied are those of the sources whose copies are there, maybe made by another attempt
// long ago, and the markers: who deletes copies to undo the rename, or renames the new
// directory, shall not lose the sources. They stay, and clear finds them.
func (r *treeRename) copied(ctx context.Context, sources []source) ([]source, error) {
	missing := map[string]bool{}
	for _, s := range sources {
		missing[s.Name] = !s.marker()
	}
	for o, err := range r.objects(ctx, r.dst) {
		if err != nil {
			return nil, err
		}
		delete(missing, strings.TrimPrefix(o.Key, r.dst.dir()))
	}
	return slices.DeleteFunc(slices.Clone(sources), func(s source) bool { return missing[s.Name] }), nil
}

// depth is how many directories below the renamed one a marker is; files are deeper than all.
func (s source) depth() int {
	if !s.marker() {
		return math.MaxInt
	}
	return strings.Count(s.Name, "/")
}

// delete deletes the very version that was copied. Another one stays.
func (r *treeRename) delete(ctx context.Context, s source) error {
	from := s.at(r.src)
	err := from.store.Delete(ctx, from.key, backends.DeleteOptions{IfMatch: s.ETag})
	if errors.Is(err, backends.ErrChanged) || errors.Is(err, fs.ErrNotExist) || s.marker() && errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// ended is the error of a context that has ended.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ftp.ErrUnavailable, context.Cause(ctx))
}
