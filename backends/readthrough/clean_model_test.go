package readthrough_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
)

// tended is a front whose changes are made behind and whose tombstones are removed, and what
// clients must see of it.
type tended struct {
	*mirrored

	model map[string]string // what was written through the gateway last
	newer map[string]string // what clients of the old server have written since
	away  bool              // what is behind does not answer
	steps int
}

// content is one of a size that no other has: by size and time one is taken for the copy of another.
func (w *tended) content() string {
	w.steps++
	return strings.Repeat("x", w.steps)
}

// theirs is what a client of the old server does: it writes a key, or deletes it.
func (w *tended) theirs(key string, written bool) {
	old := "old/" + strings.TrimPrefix(key, "m/")
	if !written {
		if err := w.behind.Delete(w.t.Context(), old, backends.DeleteOptions{}); err != nil {
			w.t.Fatal(err)
		}
		delete(w.newer, key)
		return
	}
	content := w.content()
	if err := write(w.t.Context(), w.behind, old, content, backends.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.newer[key] = content
}

// seen is what clients must see.
func (w *tended) seen() map[string]string {
	seen := maps.Clone(w.model)
	maps.Copy(seen, w.newer)
	return seen
}

// drop takes a key off.
func (w *tended) drop(key string) {
	delete(w.model, key)
	delete(w.newer, key)
}

// move renames a key that is there, and not only behind while that is away.
func (w *tended) move(key, to string) {
	content, there := w.seen()[key]
	if !there || key == to || w.away {
		return
	}
	if _, _, err := backends.Move(w.t.Context(), w.store, to, key, backends.CopyOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.drop(key)
	w.drop(to)
	w.model[to] = content
}

// step changes something, or lets time pass.
func (w *tended) step(r *rand.Rand, keys []string) string {
	key, other := keys[r.IntN(len(keys))], keys[r.IntN(len(keys))]
	switch r.IntN(12) {
	case 0, 1:
		w.drop(key)
		w.model[key] = w.content()
		w.put(key, w.model[key])
		return "put " + key
	case 2, 3:
		w.remove(key)
		w.drop(key)
		return "delete " + key
	case 4, 5:
		w.move(key, other)
		return "move " + key + " " + other
	case 6:
		w.theirs(key, true)
		return "put behind " + key
	case 7:
		w.theirs(key, false)
		return "delete behind " + key
	case 8:
		if w.away = !w.away; w.away {
			w.down()
		} else {
			w.old.Clear()
		}
		return fmt.Sprint("away: ", w.away)
	case 9:
		w.stop()
		w.start()
		return "start again"
	default:
		d := time.Duration(r.IntN(60)) * time.Minute
		later(d)
		return fmt.Sprint(w.ahead(), " tombstones removed after ", d)
	}
}

// check fails unless clients see what they must of all keys.
func (w *tended) check(keys []string) {
	w.t.Helper()
	if w.away {
		return
	}
	seen := map[string]string{}
	for _, key := range keys {
		content, err := get(w.t, w.store, key)
		if err == nil {
			seen[key] = content
		} else if !errors.Is(err, fs.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
	if want := w.seen(); !maps.Equal(seen, want) {
		w.t.Fatalf("clients see %v, want %v", seen, want)
	}
}

// TestS62_RemovedTombstonesHideNothing: whatever is done on either side, in whatever order, what is
// seen is as if no tombstone was ever removed; and at the end there is none that hides nothing.
func TestS62_RemovedTombstonesHideNothing(t *testing.T) {
	keys := []string{"m/a", "m/b", "m/d/a", "m/d/e/a"}
	for seed := range uint64(24) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 3))
				w := &tended{mirrored: newMirrored(t), model: map[string]string{}, newer: map[string]string{}}
				var steps []string
				defer func() {
					if t.Failed() {
						t.Log(strings.Join(steps, "\n"))
					}
				}()
				for range 60 {
					later(time.Second)
					steps = append(steps, w.step(r, keys))
					later(time.Second)
					w.check(keys)
				}
				w.old.Clear()
				w.away = false
				later(time.Hour)
				w.check(keys)
				w.done("at the end")
				w.ahead()
				w.check(keys)
				if stones := w.stones(); len(stones) > len(w.newer) {
					t.Errorf("%v are newer behind, and there are %q", w.newer, stones)
				}
			})
		})
	}
}
