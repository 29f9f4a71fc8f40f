package backendtest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/backendtest"
	"causeway/backends/mem"
)

// parking is what a store that parks has, and a mutant of one changes.
type parking interface {
	backends.Backend
	backends.Parker
	Reopen() *mem.Store
}

// parkMutants are faults of stores that park, by the case that must find each.
func parkMutants() map[string]func(parking) parking {
	places := make(map[string]*[]byte)
	return map[string]func(parking) parking{
		"Park/S13_Sizes":              func(s parking) parking { return abortsOnPark{s} },
		"Park/S12_Invisible":          func(s parking) parking { return publishesOnPark{s} },
		"Park/S13_AfterCancel":        func(s parking) parking { return parksInTime{s} },
		"Park/S13_Properties":         func(s parking) parking { return forgetsProperties{s} },
		"Parked/S13_Queries":          func(s parking) parking { return ignoresDirect{s} },
		"Parked/S13_Several":          func(s parking) parking { return keepsTheFirst{s} },
		"Parked/Tags":                 func(s parking) parking { return forgetsTags{s} },
		"Discard/S17_Resumed":         func(s parking) parking { return discardsByKey{s} },
		"Resume/S13_Cuts":             func(s parking) parking { return resumesAtTheEnd{s} },
		"Resume/S13_NotGrafted":       func(s parking) parking { return grafts{s} },
		"Resume/S16_Conditions":       func(s parking) parking { return forgetsConditions{s} },
		"Zombie/Abort":                func(s parking) parking { return abortsOthers{s} },
		"Zombie/S15_CommitsFirst":     func(s parking) parking { return mixesAttempts{s, places} },
		"Crash/Busy":                  func(s parking) parking { return tellsItsOwn{s} },
		"Append/S14_ChangedMeanwhile": func(s parking) parking { return unguarded{s} },
		"Append/X15_Race":             func(s parking) parking { return unguarded{s} },
		"Append/S14_ParkedChanged":    func(s parking) parking { return forgetsConditions{s} },
		"Alternate/S16_InTurn":        func(s parking) parking { return triesOnce{s} },
		"Alternate/S16_Race":          func(s parking) parking { return overwritesInstead{s} },
		"MoveTree/S31_Content":        func(s parking) parking { return takesSiblings{s} },
	}
}

// TestSuiteFindsParkMutants is TestSuiteFindsMutants for them.
func TestSuiteFindsParkMutants(t *testing.T) {
	if name := mutantOfThisProcess(); name != "" {
		var b parking // of the case that is running
		mutate := parkMutants()[name]
		backendtest.Run(t, func(*testing.T) backends.Backend {
			b = mem.New(mem.Options{PartSize: 1 << 10})
			return mutate(b)
		}, backendtest.Features{
			PartSize: 1 << 10, ObjectCuts: true, Crash: true, MovesTrees: strings.HasPrefix(name, "MoveTree/"),
			Reopen: func(*testing.T, backends.Backend) backends.Backend { return mutate(b.Reopen()) },
		})
		return
	}
	for finding := range parkMutants() {
		t.Run(finding, func(t *testing.T) { wantFound(t, "TestSuiteFindsParkMutants", finding, finding) })
	}
}

// changed is an upload of next with some of its methods replaced.
func changed(next parking, ctx context.Context, key string, o backends.CreateOptions, change func(*changedUpload)) (backends.Upload, error) {
	u, err := next.Create(ctx, key, o)
	if err != nil {
		return nil, err
	}
	c := &changedUpload{Upload: u}
	change(c)
	return c, nil
}

type abortsOnPark struct{ parking }

func (m abortsOnPark) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		u.park = func() (int64, error) { return u.written, u.Upload.Abort() }
	})
}

// publishesOnPark makes what has arrived the object, as servers do that know no better.
type publishesOnPark struct{ parking }

func (m publishesOnPark) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		whole, next := bytes.Buffer{}, u.Upload
		u.write = func(p []byte) (int, error) { whole.Write(p); return next.Write(p) }
		u.park = func() (int64, error) {
			_ = store(m, key, whole.Bytes())
			return next.Park()
		}
	})
}

// store writes an object, whatever is there.
func store(b backends.Backend, key string, content []byte) error {
	u, err := b.Create(context.Background(), key, backends.CreateOptions{})
	if err != nil {
		return err
	}
	if _, err := u.Write(content); err != nil {
		return err
	}
	_, err = u.Commit()
	return err
}

// parksInTime parks only while the upload's context goes on.
type parksInTime struct{ parking }

func (m parksInTime) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		next := u.Upload
		u.park = func() (int64, error) {
			if ctx.Err() != nil {
				return 0, next.Abort()
			}
			return next.Park()
		}
	})
}

type forgetsProperties struct{ parking }

func (m forgetsProperties) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if o.Resume != "" && o.Metadata == nil {
		o.Metadata = map[string]string{}
	}
	return m.parking.Create(ctx, key, o)
}

type forgetsTags struct{ parking }

func (m forgetsTags) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	o.Tag = ""
	return m.parking.Create(ctx, key, o)
}

type ignoresDirect struct{ parking }

func (m ignoresDirect) Parked(ctx context.Context, q backends.ParkedQuery) (backends.ParkedPage, error) {
	q.Direct = false
	return m.parking.Parked(ctx, q)
}

// keepsTheFirst keeps one upload of a key.
type keepsTheFirst struct{ parking }

func (m keepsTheFirst) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	return changed(m.parking, ctx, key, o, func(u *changedUpload) {
		next := u.Upload
		u.park = func() (int64, error) {
			if page, err := m.Parked(ctx, backends.ParkedQuery{Prefix: key}); err != nil || len(page.Uploads) > 0 {
				return u.written, errors.Join(err, next.Abort())
			}
			return next.Park()
		}
	})
}

// discardsByKey discards whatever there is of the key, by the eyes of another process.
type discardsByKey struct{ parking }

func (m discardsByKey) Discard(ctx context.Context, p backends.Parked) error {
	return discardAll(ctx, m.Reopen(), p.Key)
}

func discardAll(ctx context.Context, b backends.Backend, key string) error {
	for p, err := range backends.ParkedUploads(ctx, b, backends.ParkedQuery{Prefix: key}) {
		if err := errors.Join(err, backends.Discard(ctx, b, p)); err != nil {
			return err
		}
	}
	return nil
}

// resumesAtTheEnd does not look at At.
type resumesAtTheEnd struct{ parking }

func (m resumesAtTheEnd) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	for p, err := range backends.ParkedUploads(ctx, m.parking, backends.ParkedQuery{Prefix: key}) {
		if err == nil && p.ID == o.Resume && o.At < p.Size {
			o.At = p.Size
		}
	}
	return m.parking.Create(ctx, key, o)
}

// grafts takes an offset for one in the object, if there is one that long.
type grafts struct{ parking }

func (m grafts) Create(ctx context.Context, key string, o backends.CreateOptions) (backends.Upload, error) {
	if obj, err := m.Stat(ctx, key, backends.StatOptions{}); err == nil && o.Resume != "" && o.At <= obj.Size {
		o.Resume, o.IfMatch = "", obj.ETag
	}
	return m.parking.Create(ctx, key, o)
}
