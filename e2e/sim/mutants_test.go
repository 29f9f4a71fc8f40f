package sim

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"causeway/backends"
	"causeway/gateway/ftp"
)

// patient is how many simulations a mistake may go unseen.
const patient = 400

// TestSimulatorFindsMistakes proves that a simulation fails where the gateway or its store
// makes a mistake.
func TestSimulatorFindsMistakes(t *testing.T) {
	for name, mistake := range map[string]func(*world){
		"what is cut off is published": func(w *world) { w.publish() },
		"no grace":                     func(w *world) { w.grace = 0 },
		"parking publishes":            func(w *world) { w.mutant = uploading(parkPublishes) },
		"commit parks":                 func(w *world) { w.mutant = uploading(commitParks) },
		"abort does nothing":           func(w *world) { w.mutant = uploading(abortNothing) },
		"writes are lost":              func(w *world) { w.mutant = uploading(writeNothing) },
		"nothing is discarded":         func(w *world) { w.mutant = func(f *faulty) backends.Backend { return hoarder{f} } },
		"restarts are off by one":      func(w *world) { w.mutant = func(f *faulty) backends.Backend { return shifter{f} } },
		"deletes have no condition":    func(w *world) { w.mutant = func(f *faulty) backends.Backend { return eraser{f} } },
		"uploads have no condition":    func(w *world) { w.mutant = func(f *faulty) backends.Backend { return bully{f} } },
		"reads begin at the start":     func(w *world) { w.mutant = func(f *faulty) backends.Backend { return rewinder{f} } },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(patient) {
				if found := mistaken(t, seed, mistake); found != "" {
					t.Logf("seed %d: %s", seed, found)
					return
				}
			}
			t.Error("nobody has seen it")
		})
	}
}

// mistaken runs one simulation with a mistake, and returns the first sign of it.
func mistaken(t *testing.T, seed uint64, mistake func(*world)) (found string) {
	synctest.Test(t, func(*testing.T) {
		w := newWorld(seed)
		mistake(w)
		w.run(steps)
		if len(w.failures) > 0 {
			found = w.failures[0]
		}
	})
	return found
}

// publish lets all mounts publish what is cut off.
func (w *world) publish() {
	for _, a := range w.accounts {
		for i := range a.mounts {
			a.mounts[i].incomplete = ftp.PublishIncomplete
		}
	}
}

// uploading makes a mistake in how uploads end or are written.
func uploading(mistake func(*faultyUpload) backends.Upload) mutation {
	return func(f *faulty) backends.Backend { return uploader{f, mistake} }
}

type uploader struct {
	*faulty
	mistake func(*faultyUpload) backends.Upload
}

func (u uploader) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	next, err := u.faulty.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	return u.mistake(next.(*faultyUpload)), nil
}

type publisher struct{ *faultyUpload }

func parkPublishes(u *faultyUpload) backends.Upload { return publisher{u} }

func (p publisher) Park() (int64, error) {
	_, err := p.Commit()
	return 0, err
}

type parker struct{ *faultyUpload }

func commitParks(u *faultyUpload) backends.Upload { return parker{u} }

func (p parker) Commit() (backends.Object, error) {
	n, err := p.Park()
	return backends.Object{Key: p.key, Size: n, ETag: "1"}, err
}

type miser struct{ *faultyUpload }

func abortNothing(u *faultyUpload) backends.Upload { return miser{u} }

func (miser) Abort() error { return nil }

type loser struct{ *faultyUpload }

func writeNothing(u *faultyUpload) backends.Upload { return loser{u} }

func (l loser) Write(p []byte) (int, error) {
	if len(p) > 200 {
		_, err := l.faultyUpload.Write(p[:200])
		return len(p), err
	}
	return l.faultyUpload.Write(p)
}

type hoarder struct{ *faulty }

func (hoarder) Discard(context.Context, backends.Parked) error { return nil }

type shifter struct{ *faulty }

func (s shifter) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	o.At = max(0, o.At-1)
	return s.faulty.Create(ctx, key, o)
}

type eraser struct{ *faulty }

func (e eraser) Delete(ctx context.Context, key string, _ backends.DeleteOptions) error {
	e.wait(ctx, 5*time.Second) // for somebody to write meanwhile
	return e.faulty.Delete(ctx, key, backends.DeleteOptions{})
}

func (eraser) Move(context.Context, string, string, backends.CopyOptions) (backends.Object, error) {
	return backends.Object{}, errors.ErrUnsupported
}

type bully struct{ *faulty }

func (b bully) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	o.IfAbsent = false
	return b.faulty.Create(ctx, key, o)
}

type rewinder struct{ *faulty }

func (r rewinder) Open(ctx context.Context, key string, o backends.OpenOptions) (*backends.Reader, error) {
	o.Offset = 0
	return r.faulty.Open(ctx, key, o)
}
