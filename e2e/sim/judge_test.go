package sim

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"causeway/backends"
)

// journals is where the gateway writes down the renames of directories.
const journals = backends.Reserved + "/renames/"

// judgeCommit holds I1, I3 and I4 against a commit, at the moment at which it happens:
// it must be the whole of what a client that has come to its end has sent, after just
// those octets that it was to follow.
func (w *world) judgeCommit(u *upload, key string, before *version) {
	switch {
	case strings.HasPrefix(key, journals):
		w.judgeOwn(key, "RNTO")
		return
	case strings.HasSuffix(key, "/"):
		w.judgeMarker(u, key)
		return
	}
	for _, o := range w.ops {
		if w.live(o) && !o.applied && o.uploads() && o.names(key) && o.is(u) {
			w.judgePolicy(o.mount, key, before)
			w.judgeBase(u, o, key, before)
			o.applied, o.content, u.op = true, u.content, o
			w.countCommit(u, o, key)
			return
		}
	}
	if w.copiedByHand(u, key, before) {
		return
	}
	w.failf("I1: published %q: %s, of which the last %d octets are no upload that was complete%s",
		key, brief(u.content), len(u.content)-u.base, w.candidates(key))
}

// names tells whether key may be what a client has asked for.
func (o *op) names(key string) bool {
	return key == o.key || o.mount.keepsBoth() && !o.unique() && strings.HasPrefix(key, o.key+"-")
}

func (o *op) unique() bool { return o.verb == "STOU" }

// is tells whether an upload is that of the command, and complete, and the grace is over.
func (o *op) is(u *upload) bool {
	waited := o.session.leaving || time.Since(o.sentAt) >= grace
	return o.sent && !o.cut && waited && bytes.Equal(u.content[u.base:], o.data)
}

// judgePolicy holds S16 against a commit or a copy: nothing is replaced where the mount
// says so.
func (w *world) judgePolicy(m mount, key string, before *version) {
	if !before.absent && !m.replaces() {
		w.failf("S16: %q was replaced below %s", key, m.path)
	}
}

// judgeBase holds S13 and S14: an upload follows what it was meant to, and a change
// meanwhile is not lost.
func (w *world) judgeBase(u *upload, o *op, key string, before *version) {
	switch {
	case o.verb == "APPE":
		if o.known >= 0 && int64(u.base) != o.known {
			w.failf("S13: %s follows %d octets, and its client was told %d", o, u.base, o.known)
		}
		if u.onto != nil && u.base != len(u.onto.content) || u.options.Resume != "" && u.base != u.whole {
			w.failf("S14: %s follows %d octets of what has more", o, u.base)
		}
	case int64(u.base) != o.offset:
		w.failf("S14: %s follows %d octets", o, u.base)
	}
	if u.onto != nil && u.onto != before {
		w.failf("S14: %s has undone a change of %q", o, key)
	}
}

// copiedByHand tells whether a commit is a rename that a store cannot do by itself.
func (w *world) copiedByHand(u *upload, key string, before *version) bool {
	for _, o := range w.ops {
		src, ok := o.source(key)
		if !w.live(o) || !ok || u.base > 0 {
			continue
		}
		for from := range w.bucket.keys {
			// It reads one version of the source to its end, whatever becomes of the key.
			same := func(v *version) bool { return !v.absent && bytes.Equal(v.content, u.content) }
			if o.takes(src, from) && w.bucket.during(from, o.invoked, same) {
				w.judgeCopy(key, from, before)
				return true
			}
		}
	}
	return false
}

// source is the key that a rename gives the name key, if it is one of its names.
func (o *op) source(key string) (string, bool) {
	if o.verb != "RNTO" {
		return "", false
	}
	if o.names(key) {
		return o.from, true
	}
	rest, below := strings.CutPrefix(key, o.key+"/")
	return o.from + "/" + rest, below
}

// takes tells whether a rename of one key may take another: a session's own upload goes by
// the name that it was sent to, also where it was kept beside another file.
func (o *op) takes(from, key string) bool {
	return key == from || o.origin.keepsBoth() && strings.HasPrefix(key, from+"-")
}

// judgeCopy holds I1 and I4 against a copy on the store's side.
func (w *world) judgeCopy(dst, src string, before *version) {
	broken := fmt.Sprintf("I4: %q was copied to %q, which nobody has asked for", src, dst)
	for _, o := range w.ops {
		of, ok := o.source(dst)
		switch {
		case !w.live(o) || !ok || !o.takes(of, src):
			continue
		case of == o.from:
			w.judgePolicy(o.mount, dst, before)
			w.seen["renamed"]++
		case !before.absent:
			broken = fmt.Sprintf("S31: %s has replaced %q", o, dst)
			continue // unless it was somebody else
		default:
			w.seen["copied with its directory"]++
		}
		o.copied, o.onto = true, dst
		return
	}
	w.failf("%s", broken)
}

// judgeDelete holds I1 and S30 against a delete: somebody has asked for it, or it is the
// source of a rename whose content has its new name.
func (w *world) judgeDelete(key string, before *version) {
	switch {
	case strings.HasPrefix(key, journals):
		w.judgeOwn(key, "RNTO")
		return
	case strings.HasSuffix(key, "/"):
		w.judgeOwn(key, "RMD", "RNTO")
		return
	}
	for _, o := range w.ops {
		if w.live(o) && (o.verb == "DELE" && o.key == key || o.verb == "RNTO" && w.hasCopy(o, key, before)) {
			return
		}
	}
	w.failf("S30: %q was deleted: %s", key, brief(before.content))
}

// hasCopy tells whether the content of key has, or had, the name that a rename gives it.
func (w *world) hasCopy(o *op, key string, v *version) bool {
	dst := o.key
	if rest, below := strings.CutPrefix(key, o.from+"/"); below {
		dst = o.key + "/" + rest
	} else if !o.takes(o.from, key) {
		return false
	} else if o.onto != "" {
		dst = o.onto
	}
	for _, c := range w.bucket.keys[dst] {
		if !c.absent && bytes.Equal(c.content, v.content) {
			return true
		}
	}
	return false
}

// judgeOwn holds I4 against what the gateway writes for itself: one of the verbs is
// under way.
func (w *world) judgeOwn(key string, verbs ...string) {
	for _, o := range w.ops {
		for _, verb := range verbs {
			if w.live(o) && o.verb == verb {
				return
			}
		}
	}
	w.failf("I4: %q was changed, and nobody was at it", key)
}

// judgeMarker is judgeCommit for the marker of a directory.
func (w *world) judgeMarker(u *upload, key string) {
	if len(u.content) > 0 {
		w.failf("S2: the marker %q has %d octets", key, len(u.content))
	}
	w.judgeOwn(key, "MKD", "RMD", "DELE", "RNTO")
}

// candidates are the uploads that a content might have been meant for.
func (w *world) candidates(key string) string {
	var s string
	for _, o := range w.ops {
		if o.uploads() && o.names(key) && w.live(o) {
			s += "\n\t" + o.String()
		}
	}
	return s
}
