package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

func sizeCases() []Case {
	return []Case{
		{Name: "size-100GiB", Beside: true, Run: func(ctx context.Context, e *Env) ([]Row, error) {
			l := largeUpload{size: 100 << 30, buffers: 32, spool: true}
			if e.Quick {
				l.size = 4 << 30
			}
			return l.run(ctx, e)
		}},
		{Name: "size-5TiB", Beside: true, Run: growth},
	}
}

// largeUpload is one file of synthetic octets.
type largeUpload struct {
	size    int64
	buffers int64 // MiB, of the gateway's configuration
	spool   bool
}

// beginning is what has been sent of a large file when its memory is as large as it may be.
const beginning = 1 << 30

// spoolBeat is after how many octets the spool is looked at.
const spoolBeat = 64 << 20

// run uploads the file. With the smallest buffers, parts in memory are of 8 MiB, of which
// 10,000 are 78 GiB: a file of 100 GiB has parts that are larger, and go through the spool.
func (l largeUpload) run(ctx context.Context, e *Env) ([]Row, error) {
	spool, err := os.MkdirTemp(e.Dir, "spool-")
	if err != nil {
		return nil, err
	}
	o := GatewayOptions{
		Limits: fmt.Sprintf(", buffers: %dMiB", l.buffers),
		Extra:  fmt.Sprintf("spool: {dir: %q, bytes: 2GiB}\n", spool),
	}
	return e.with(ctx, o, func(store *Store, g *Gateway) ([]Row, error) {
		var on onItsWay
		u, err := g.Measure(func() (err error) { on, err = l.upload(ctx, e, g, spool); return err })
		if err = errors.Join(err, store.arrived(ctx, l.size)); err != nil {
			return nil, err
		}
		stats, err := store.Stats(ctx)
		work := fmt.Sprintf("STOR %s, buffers %d MiB and spool", octets(l.size), l.buffers)
		return []Row{
			{Work: work, Figure: "peak RSS", Unit: "MiB", Rounds: []float64{mib(u.Peak)}},
			{Work: work, Figure: "of it after the first GiB", Unit: "MiB", Rounds: []float64{mib(u.Peak - on.early)}, Target: AtMost(16)},
			{Work: work, Figure: "parts", Rounds: []float64{float64(stats.Requests["UploadPart"])}, Target: AtMost(10_000), Note: l.partsNote()},
			l.spoolRow(work, on.spooled),
			{Work: work, Figure: "gateway CPU", Unit: "s/GiB", Rounds: []float64{perGiB(u, l.size)}, Note: rate(u, l.size)},
		}, err
	})
}

// quarter is the largest part, in octets, that is kept in memory.
func (l largeUpload) quarter() int64 { return l.buffers << 20 / 4 }

// needsSpool tells whether there are too many parts if they are kept in memory.
func (l largeUpload) needsSpool() bool { return l.size/l.quarter() > 10_000 }

func (l largeUpload) partsNote() string {
	if l.needsSpool() {
		return fmt.Sprintf("of %s they would be %d", octets(l.quarter()), l.size/l.quarter())
	}
	return "quick: too small to need the spool"
}

// spoolRow tells the most octets that were seen in the spool: more than a part in memory
// has, where parts must be larger.
func (l largeUpload) spoolRow(work string, most int64) Row {
	row := Row{Work: work, Figure: "most seen in the spool", Unit: "MiB", Rounds: []float64{mib(most)}}
	if l.needsSpool() {
		row.Target = AtLeast(mib(l.quarter()))
	}
	return row
}

// onItsWay is what was seen of the gateway while a large file was sent.
type onItsWay struct {
	early   int64 // peak of resident memory after the beginning, octets
	spooled int64 // most octets in the spool
}

// look asks after each spoolBeat octets.
func (o *onItsWay) look(g *Gateway, at int64, spool string) error {
	var err error
	if o.early == 0 && at >= beginning {
		if o.early, err = g.Peak(); err != nil {
			return err
		}
	}
	if at%spoolBeat != 0 {
		return nil
	}
	now, err := g.held(spool)
	o.spooled = max(o.spooled, now)
	return err
}

// upload sends the file.
func (l largeUpload) upload(ctx context.Context, e *Env, g *Gateway, spool string) (on onItsWay, err error) {
	c, err := e.Login(ctx, g, e.Options(Plain))
	if err != nil {
		return on, err
	}
	defer func() { err = errors.Join(err, c.Quit()) }()
	d, err := c.Open("STOR large")
	if err != nil {
		return on, err
	}
	for at := int64(0); at < l.size; {
		n, err := d.Write(e.Content.At(at)[:min(256<<10, l.size-at)])
		at += int64(n)
		if err == nil {
			err = on.look(g, at, spool)
		}
		if err != nil {
			d.Abandon()
			return on, fmt.Errorf("after %d octets: %w", at, err)
		}
	}
	if err := d.Finish(); err != nil {
		return on, err
	}
	return on, askSize(c, "large", l.size)
}

// growth tells how many parts the largest object takes. Nobody has the time to send it, so
// the code that decides on the size of each part is asked, by the benchmark of its package.
func growth(ctx context.Context, _ *Env) ([]Row, error) {
	const name = "BenchmarkPartsOf5TiB"
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime", "1x", "causeway/backends/multipart")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	var rows []Row
	for line := range strings.Lines(string(out)) {
		if setup, ok := strings.CutPrefix(line, name+"/"); ok {
			row, err := growthRow(strings.Fields(setup))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			rows = append(rows, row)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no figures: %s", out)
	}
	return rows, nil
}

// growthRow reads "buffers=32MiB-2 1 37556 ns/op 5120 MiB/last 8140 parts": set-up and CPUs,
// how often it was done, and pairs of a value and its unit, in any order.
func growthRow(fields []string) (Row, error) {
	setup, _, _ := strings.Cut(fields[0], "-")
	row := Row{Work: "object of 5 TiB, " + strings.Replace(setup, "=", " ", 1), Figure: "parts", Target: AtMost(10_000), Note: "by the code that sizes parts"}
	for i := 2; i+1 < len(fields); i += 2 {
		v, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return row, err
		}
		switch fields[i+1] {
		case "parts":
			row.Rounds = []float64{v}
		case "MiB/last":
			row.Note += fmt.Sprintf("; the last is of %.0f MiB", v)
		}
	}
	if row.Rounds == nil {
		return row, errors.New("no number of parts")
	}
	return row, nil
}
