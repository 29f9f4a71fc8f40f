package sim

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// judgeReply holds I2, I3 and I6 against the final reply of a command.
func (w *world) judgeReply(o *op) {
	if want := goodCode(o.verb); o.code != want && (o.code < 400 || o.verb == "NOOP" || o.verb == "ABOR") && o.code != 421 {
		w.failf("I6: %d to %s", o.code, o)
		return
	}
	good := o.code < 400
	switch {
	case o.uploads():
		w.judgeUploaded(o)
	case o.fetches():
		w.judgeRead(o)
	case o.verb == "SIZE" || o.verb == "MLST":
		o.session.told = told{}
		if good && o.verb == "SIZE" {
			w.judgeSize(o)
		}
	case good && o.verb == "DELE":
		w.judgeDeleted(o)
	case good && o.verb == "RNTO":
		w.judgeRenamed(o)
	case good && o.verb == "MKD":
		marked := func(v *version) bool { return !v.absent }
		if !w.bucket.during(o.key+"/", o.invoked, marked) {
			w.failf("S2: 257 to %s, which has no marker", o)
		}
	}
}

// goodCode is the code with which a command is answered that has done its work.
func goodCode(verb string) int {
	switch verb {
	case "hello":
		return 220
	case "USER":
		return 331
	case "PASS":
		return 230
	case "SIZE":
		return 213
	case "STAT":
		return 211
	case "MKD":
		return 257
	case "CWD", "RMD", "DELE", "RNTO", "MLST":
		return 250
	case "RNFR", "REST":
		return 350
	case "NOOP", "TYPE", "EPRT":
		return 200
	case "EPSV":
		return 229
	case "QUIT":
		return 221
	}
	return 226 // transfers, and ABOR
}

// judgeUploaded: 226 is told of what the store has, and nothing else of what it has,
// unless the store's own answer was lost.
func (w *world) judgeUploaded(o *op) {
	switch {
	case o.code < 400 && !o.applied:
		w.failf("I2: %d to %s, which the store does not have", o.code, o)
	case o.code >= 400 && o.applied && !o.doubtful:
		w.failf("I3: %d to %s, which the store has", o.code, o)
	}
}

// believe tells whether a version may be told of by the answer to o. What was changed from outside may be told of for as long as the cache
// believes it.
func (w *world) believe(o *op, key string, found func(*version) bool) bool {
	if w.bucket.during(key, o.invoked, found) {
		return true
	}
	for i, v := range w.bucket.keys[key] {
		if v.endedOut && o.at.Sub(v.ended) <= believed && found(v) {
			return true
		}
		if i == 0 && v.outside && o.at.Sub(v.born) <= believed && found(&version{absent: true}) {
			return true
		}
	}
	return false
}

// keeps tells whether something of a key may be told of as parked.
func (w *world) keeps(o *op, key string, found func(*kept) bool) bool {
	for _, k := range w.bucket.parked {
		if k.key == key && (k.gone.IsZero() || o.at.Sub(k.gone) <= remembered) && found(k) {
			return true
		}
	}
	return false
}

func (w *world) judgeSize(o *op) {
	n, err := strconv.ParseInt(strings.TrimSpace(o.text[4:]), 10, 64)
	w.expect(err)
	o.session.told = told{path: o.path, size: n}
	ofObject := func(v *version) bool { return !v.absent && int64(len(v.content)) == n }
	ofParked := func(k *kept) bool { return n <= int64(len(k.content)) }
	for key := range w.bucket.keys {
		// Where both are kept the session may be told of its own, beside it.
		if o.names(key) && w.believe(o, key, ofObject) {
			return
		}
	}
	if !w.keeps(o, o.key, ofParked) && !w.remembers(o, n) {
		w.failf("S23: %d is told as the size of %q; it has %s", n, o.key, brief(w.bucket.now(o.key).content))
	}
}

// remembers tells whether the session has stored so many octets under the name itself, which
// it may be told while the credentials seem blind (S43).
func (w *world) remembers(o *op, n int64) bool {
	return w.denied >= o.invoked && slices.ContainsFunc(w.ops, func(own *op) bool {
		return own.session == o.session && own.applied && own.path == o.path && int64(len(own.content)) == n
	})
}

// judgeDeleted: the file was away at some time, or an upload parked under its name is.
func (w *world) judgeDeleted(o *op) {
	away := func(v *version) bool { return v.absent }
	discarded := func(k *kept) bool { return k.goneAt >= o.invoked }
	if !w.bucket.during(o.key, o.invoked, away) && !w.keeps(o, o.key, discarded) {
		w.failf("S23: 250 to %s, which is there", o)
	}
}

// judgeRenamed: the content has its new name, and nothing of it the old one.
func (w *world) judgeRenamed(o *op) {
	if o.from == o.key || o.origin.keepsBoth() {
		return
	}
	for key, all := range w.bucket.keys {
		last := all[len(all)-1]
		if below := strings.HasPrefix(key, o.from+"/"); below && !last.absent && last.from < o.invoked {
			w.failf("S31: 250 to %s, and %q is where it was", o, key)
		}
	}
	if last := w.bucket.now(o.from); !last.absent && last.from < o.invoked && !o.session.client.account.isDir(w, o.from) {
		w.failf("S30: 250 to %s, and the file is where it was", o)
	}
}

// isDir tells whether keys are below key.
func (a *account) isDir(w *world, key string) bool {
	for other := range w.bucket.keys {
		if strings.HasPrefix(other, key+"/") {
			return true
		}
	}
	return false
}

// judgeRead holds S20, S21 and S22 against what has come of a file or a listing: once it
// has a proper end, all of it is there.
func (w *world) judgeRead(o *op) {
	if o.returned > 0 && o.code < 400 && o.stopped && !o.ended && !o.session.transfer.over {
		w.failf("R6: %d to %s, whose data broke off", o.code, o)
	}
	if !o.ended || o.returned == 0 || o.judged {
		return
	}
	o.judged = true
	if o.lists() {
		w.judgeListing(o)
		return
	}
	is := func(v *version) bool {
		return !v.absent && int64(len(v.content)) >= o.offset && bytes.Equal(v.content[o.offset:], o.received)
	}
	if !w.bucket.during(o.key, o.invoked, is) {
		w.failf("S20: %d to %s, which was sent %s", o.code, o, brief(o.received))
	}
}

// judgeListing: what was there all the time is in it, and what never was is not.
func (w *world) judgeListing(o *op) {
	listed := map[string]bool{}
	for line := range strings.SplitSeq(string(o.received), "\r\n") {
		name := line[max(strings.LastIndexByte(line, ' '), strings.LastIndexByte(line, '/'))+1:]
		if name == "" || name == "." || name == ".." || strings.Contains(line, "type=cdir") || strings.Contains(line, "type=pdir") {
			continue
		}
		if listed[name] {
			w.failf("S22: %q twice to %s", name, o)
		}
		listed[name] = true
		if !w.known(o, name) {
			w.failf("S22: %q to %s, which never was there", name, o)
		}
	}
	if o.faults != w.faults || o.code >= 400 {
		return
	}
	for key, all := range w.bucket.keys {
		last := all[len(all)-1]
		name, ok := strings.CutPrefix(key, dirOf(o))
		if !ok || name == "" || strings.Contains(name, "/") || last.absent || last.from > o.invoked {
			continue
		}
		if fresh := last.outside && o.at.Sub(last.born) <= believed; !fresh && !listed[name] {
			w.failf("S22: %q is missing in %s", name, o)
		}
	}
}

// dirOf is the prefix of the keys that a listing is of.
func dirOf(o *op) string { return strings.TrimSuffix(o.key, "/") + "/" }

// known tells whether there may be a file or directory of that name in a listing.
func (w *world) known(o *op, name string) bool {
	path := strings.TrimSuffix(o.path, "/") + "/" + name
	for _, m := range o.client.account.mounts {
		if strings.HasPrefix(m.path+"/", path+"/") {
			return true
		}
	}
	key := dirOf(o) + name
	there := func(v *version) bool { return !v.absent }
	if w.believe(o, key, there) || w.keeps(o, key, func(*kept) bool { return true }) {
		return true
	}
	for other := range w.bucket.keys {
		if strings.HasPrefix(other, key+"/") {
			return true
		}
	}
	for _, k := range w.bucket.parked {
		if strings.HasPrefix(k.key, key+"/") {
			return true
		}
	}
	return false
}
