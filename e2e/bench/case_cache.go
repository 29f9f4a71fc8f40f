package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// cacheCases count what the metadata cache saves: requests, for which users pay.
func cacheCases() []Case {
	return []Case{{Name: "cache-day", Run: cacheDay}, {Name: "cache-mirror", Beside: true, Run: cacheMirror}}
}

// A day of devices: each visits now and then, looks what is in its directory and stores
// what it has, asking the size of each file.
const (
	dayDevices = 10
	dayVisits  = 5
	dayFiles   = 20 // of a visit
	daySize    = 4 << 10
	// dayLimit is how many requests a file may cost; 1 is its upload.
	dayLimit = 1.2
)

// mirrorFiles is how many lftp mirrors from one directory, of a visit's size each.
const (
	mirrorFiles = 10_000
	mirrorQuick = 25 // of these in a quick run, one in so many
	mirrorTime  = 5 * time.Minute
)

// cacheOff is the configuration without the cache.
const cacheOff = "cache: {ttl: 0s}\n"

// asked is how many requests a piece of work has made.
type asked struct{ with, without int64 }

// rows tell what the cache has saved of work on so many files, of which each takes moved
// requests that no cache can save.
func (a asked) rows(work string, files int, moved int64, limit float64) []Row {
	n := float64(files)
	rows := []Row{
		{Work: work, Figure: "requests per file", Rounds: []float64{float64(a.with) / n}, Target: AtMost(limit)},
		{Work: work, Figure: "requests per file, no cache", Rounds: []float64{float64(a.without) / n}},
	}
	if asks := a.without - moved*int64(files); asks > 0 {
		rows = append(rows, Row{Work: work, Figure: "hit ratio", Rounds: []float64{float64(a.without-a.with) / float64(asks)}})
	}
	return rows
}

// counted is how many requests the store has had for some work.
func counted(ctx context.Context, s *Store, work func() error) (int64, error) {
	if err := s.Reset(ctx); err != nil {
		return 0, err
	}
	if err := work(); err != nil {
		return 0, err
	}
	stats, err := s.Stats(ctx)
	return stats.Total(), err
}

func cacheDay(ctx context.Context, e *Env) ([]Row, error) {
	var a asked
	for into, extra := range map[*int64]string{&a.with: "", &a.without: cacheOff} {
		_, err := e.with(ctx, GatewayOptions{Extra: extra}, func(s *Store, g *Gateway) ([]Row, error) {
			var err error
			*into, err = counted(ctx, s, func() error {
				devices, ctx := errgroup.WithContext(ctx)
				for i := range dayDevices {
					devices.Go(func() error { return e.day(ctx, g, fmt.Sprintf("/cam%d", i)) })
				}
				return devices.Wait()
			})
			return nil, err
		})
		if err != nil {
			return nil, err
		}
	}
	const files = dayDevices * dayVisits * dayFiles
	return a.rows(fmt.Sprintf("device day, %d files", files), files, 1, dayLimit), nil
}

// day is that of one device.
func (e *Env) day(ctx context.Context, g *Gateway, dir string) error {
	for visit := range dayVisits {
		c, err := e.Login(ctx, g, e.Options(Plain))
		if err != nil {
			return err
		}
		if visit == 0 {
			if _, err := c.Command(257, "MKD "+dir); err != nil {
				return err
			}
		}
		if _, err := c.Command(250, "CWD "+dir); err != nil {
			return err
		}
		if n, err := c.List("NLST", nil); err != nil || n != visit*dayFiles {
			return fmt.Errorf("NLST %s: %d names instead of %d: %w", dir, n, visit*dayFiles, err)
		}
		for i := range dayFiles {
			name := fmt.Sprintf("%d-%02d.jpg", visit, i)
			if err := c.Store(name, daySize); err != nil {
				return err
			}
			if said, err := c.Command(213, "SIZE "+name); err != nil || said != fmt.Sprint("213 ", daySize) {
				return fmt.Errorf("SIZE %s: %q %w", name, said, err)
			}
		}
		if err := c.Quit(); err != nil {
			return err
		}
	}
	return nil
}

func cacheMirror(ctx context.Context, e *Env) ([]Row, error) {
	files := mirrorFiles
	if e.Quick {
		files /= mirrorQuick
	}
	var first, again asked
	for _, run := range []struct {
		first, again *int64
		extra        string
	}{{&first.with, &again.with, ""}, {&first.without, &again.without, cacheOff}} {
		_, err := e.with(ctx, GatewayOptions{Extra: run.extra}, func(s *Store, g *Gateway) ([]Row, error) {
			job := DirectJob{Op: "put", Prefix: "mirror/", Count: files, Size: daySize, Concurrency: 8}
			if _, err := e.Direct(ctx, s, job); err != nil {
				return nil, err
			}
			to, err := os.MkdirTemp(e.Dir, "mirror-")
			if err != nil {
				return nil, err
			}
			for _, into := range []*int64{run.first, run.again} {
				if *into, err = counted(ctx, s, func() error { return mirror(ctx, g, to, files) }); err != nil {
					return nil, err
				}
			}
			return nil, os.RemoveAll(to)
		})
		if err != nil {
			return nil, err
		}
	}
	// The directory, its pages, and what is asked once.
	some := (float64(files)/1000 + 5) / float64(files)
	work := fmt.Sprintf("lftp mirror, %d files", files)
	return append(first.rows(work, files, 1, 1+some), again.rows(work+" again", files, 0, some)...), nil
}

// mirror has lftp, by its default settings, fetch what is newer than the copy in a folder.
func mirror(ctx context.Context, g *Gateway, to string, files int) error {
	ctx, cancel := context.WithTimeout(ctx, mirrorTime)
	defer cancel()
	script := fmt.Sprintf("set cmd:fail-exit yes; set ftp:ssl-allow no; open -u %s,%s ftp://%s; mirror --only-newer /mirror %s",
		user, password, g.Address, filepath.Join(to, "copy"))
	cmd := exec.CommandContext(ctx, "lftp", "-c", script)
	cmd.Env = append(os.Environ(), "HOME="+to)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lftp: %w: %s", err, out)
	}
	got, err := os.ReadDir(filepath.Join(to, "copy"))
	if err == nil && len(got) != files {
		err = fmt.Errorf("lftp has %d files of %d", len(got), files)
	}
	return err
}
