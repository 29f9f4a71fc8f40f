package ftp

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync"
	"time"

	"causeway/backends/ftp/ftpclient"
)

// zoneFor is how long the zone that was found out counts: it changes with summer time.
const zoneFor = time.Hour

// quarter is what offsets of time zones are multiples of, in seconds.
const quarter = 15 * 60

// zone is how far the times of listings are ahead of UTC. LIST tells local times, and MDTM
// UTC: of one file, the difference is it. It is that of now, so times of the other half of
// the year may be an hour off where there is summer time; a zone that is configured is not.
// A nil zone corrects nothing.
type zone struct {
	mu    sync.Mutex
	ahead int64 // seconds
	known time.Time
}

func (z *zone) correct(seconds int64) int64 {
	if z == nil || seconds%day == 0 { // without a time of day
		return seconds
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	return seconds - z.ahead
}

// learn asks for the time of the sample of a directory, if there is one and the zone is not
// known. That the sample is gone or tells no time is no error.
func (z *zone) learn(ctx context.Context, c *ftpclient.Conn, dir string, s sample) error {
	if z == nil || s.name == "" || !z.due() {
		return nil
	}
	e, err := c.Stat(ctx, path.Join(dir, s.name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil || !e.Precise {
		return err
	}
	ahead := s.time - e.ModTime.Unix()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.ahead, z.known = floor(ahead+quarter/2, quarter), time.Now()
	return nil
}

func (z *zone) due() bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.known.IsZero() || time.Since(z.known) > zoneFor
}

// floor is the greatest multiple of unit that is not above n.
func floor(n, unit int64) int64 {
	if n < 0 {
		return -((-n + unit - 1) / unit) * unit
	}
	return n / unit * unit
}
