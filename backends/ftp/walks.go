package ftp

import (
	"sync"
	"time"
)

const (
	// keptWalks is the memory of all walks that wait for their next page, in octets.
	keptWalks = 16 << 20
	// maxWalks is how many wait, since each may have open files.
	maxWalks = 64
	// walkLimit is how long one waits; then its directories are listed again.
	walkLimit = time.Minute
)

// walks are those between two pages.
type walks struct {
	mu     sync.Mutex
	begun  uint64 // how many have
	kept   []waiting
	octets int
	closed bool
}

type waiting struct {
	token string // that of the page to come
	*walk
	octets int
	timer  *time.Timer
}

// id names a new walk.
func (w *walks) id() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun++
	return w.begun
}

// put keeps a walk for a page, and gives up the oldest where there are too many.
func (w *walks) put(token string, k *walk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		k.close()
		return
	}
	octets := k.octets()
	w.kept = append(w.kept, waiting{token, k, octets, time.AfterFunc(walkLimit, func() { w.drop(k) })})
	w.octets += octets
	for len(w.kept) > 1 && (len(w.kept) > maxWalks || w.octets > keptWalks) {
		w.remove(0).close()
	}
}

// take is the walk of a page; nil if it is not kept.
func (w *walks) take(token string) *walk {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, k := range w.kept {
		if k.token == token {
			return w.remove(i)
		}
	}
	return nil
}

// drop closes a walk that nobody came back to.
func (w *walks) drop(old *walk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, k := range w.kept {
		if k.walk == old {
			w.remove(i).close()
			return
		}
	}
}

// dropSpilled closes the oldest walk that has a temporary file, if there is one.
func (w *walks) dropSpilled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, k := range w.kept {
		if k.spilled() {
			w.remove(i).close()
			return true
		}
	}
	return false
}

func (w *walks) remove(i int) *walk {
	k := w.kept[i]
	k.timer.Stop()
	w.kept = append(w.kept[:i], w.kept[i+1:]...)
	w.octets -= k.octets
	return k.walk
}

func (w *walks) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for len(w.kept) > 0 {
		w.remove(0).close()
	}
}
