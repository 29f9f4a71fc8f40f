package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"causeway/configs"
	"causeway/gateway"
	"causeway/gateway/migrate"
	patterns "causeway/gateway/names"
)

var (
	// errIncomplete: the report has told what is missing.
	errIncomplete = errors.New("the target has not got all that the source has")
	// errStopped: by a signal.
	errStopped = errors.New("interrupted; the next run goes on with what is left")
)

// migrating is a command line of migrate or migrate diff.
type migrating struct {
	load             func(console) (*configs.Config, error)
	flags            *flag.FlagSet
	options          migrate.Options
	include, exclude []string
	verify           string
	json             bool
}

func prepareMigrate(flags *flag.FlagSet) func(context.Context, console) error {
	m := newMigrating(flags)
	flags.BoolVar(&m.options.DryRun, "dry-run", false, "tell what would be copied, and copy nothing")
	flags.Func("rate", "most octets a second, such as `10MiB`; all that the line gives if not given", func(text string) error {
		size, err := configs.ParseSize(text)
		m.options.Rate = int64(size)
		return err
	})
	return func(ctx context.Context, c console) error { return m.run(ctx, c, migrate.Run) }
}

func prepareMigrateDiff(flags *flag.FlagSet) func(context.Context, console) error {
	m := newMigrating(flags)
	return func(ctx context.Context, c console) error { return m.run(ctx, c, migrate.Diff) }
}

// newMigrating declares the flags of both.
func newMigrating(flags *flag.FlagSet) *migrating {
	m := &migrating{load: configFlag(flags), flags: flags}
	list := func(into *[]string) func(string) error {
		return func(pattern string) error {
			*into = append(*into, pattern)
			return nil
		}
	}
	flags.Func("include", "only names that fit `PATTERN`, as hide has them; may be given again", list(&m.include))
	flags.Func("exclude", "no names that fit `PATTERN`; may be given again", list(&m.exclude))
	flags.Func("since", "only what was written from that `DATE` on: 2026-01-31, UTC, or with a time, 2026-01-31T18:00:00Z", func(text string) (err error) {
		if m.options.Since, err = time.Parse(time.DateOnly, text); err != nil {
			m.options.Since, err = time.Parse(time.RFC3339, text)
		}
		return err
	})
	flags.IntVar(&m.options.Files, "files", 8, "so many files at a time, each with a connection to either side")
	flags.StringVar(&m.verify, "verify", string(migrate.VerifySums), "size; sums, where the source has checksums; or full, which reads both sides")
	flags.BoolVar(&m.json, "json", false, "tell all as lines of JSON")
	return m
}

// parse judges what the flags package cannot.
func (m *migrating) parse() (err error) {
	m.options.Verify = migrate.Verify(m.verify)
	switch m.options.Verify {
	case migrate.VerifySums, migrate.VerifySize, migrate.VerifyFull:
	default:
		return fmt.Errorf("--verify %q is not known; there are: size, sums, full", m.verify)
	}
	if m.options.Files <= 0 {
		return errors.New("--files is a number from 1 up")
	}
	if m.options.Include, err = patterns.New(m.include); err != nil {
		return err
	}
	m.options.Exclude, err = patterns.New(m.exclude)
	return err
}

type engine func(context.Context, migrate.Options) (migrate.Report, error)

func (m *migrating) run(ctx context.Context, c console, do engine) (err error) {
	if err := m.parse(); err != nil {
		fmt.Fprintf(c.stderr, "%s: %v\n", m.flags.Name(), err)
		return errUsage
	}
	cfg, err := m.load(c)
	if err != nil {
		return err
	}
	if !m.json {
		c.stderr, c.stdout = terminalOf(c)
	}
	log := slog.New(slog.NewTextHandler(c.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	c.prepare(cfg, log)
	trees, err := gateway.OpenTrees(ctx, cfg, m.flags.Arg(0), m.flags.Arg(1), log)
	if errors.Is(err, gateway.ErrPlace) {
		fmt.Fprintf(c.stderr, "%s: %v\n", m.flags.Name(), err)
		return errUsage
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, trees.Close()) }()
	c.confine(cfg, log)
	m.options.From, m.options.To, m.options.Directories, m.options.Signs, m.options.Gone = trees.From, trees.To, trees.Directories, trees.Signs, trees.Gone
	t := m.newTeller(c)
	if t.counts() && m.options.Files >= trees.Files {
		m.options.Files = max(trees.Files-1, 1) // another listing counts
	}
	m.options.Files = min(m.options.Files, trees.Files)
	w := newWatch(ctx, t, &m.options)
	report, err := do(ctx, m.options)
	if ctx.Err() != nil {
		err = errStopped
	}
	report.LeftOut = trees.LeftOut()
	w.finish(report, err)
	if err == nil && !report.Complete() {
		err = errIncomplete
	}
	return err
}
