package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// parts are what this program runs as a process of its own, by its first argument. The
// second are the options as JSON.
func parts() map[string]func(ctx context.Context, options []byte) error {
	return map[string]func(context.Context, []byte) error{
		"store":   beStore,
		"direct":  beDirect,
		"sockets": beSockets,
		"wan":     beWan,
		"hash":    beHash,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 {
		if part, ok := parts()[args[0]]; ok {
			return part(ctx, []byte(args[1]))
		}
	}
	return bench(ctx, args)
}

// errNotAll: a case could not run; the report says why.
var errNotAll = errors.New("not every case could run")

// bench runs the cases that the flags select and prints the table.
func bench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "move less, in fewer rounds")
	rounds := flags.Int("rounds", 0, "of cases whose figures are compared; 0 for 3, quick 1")
	selected := flags.String("run", "", "`regexp` of the cases to run")
	file := flags.String("json", "", "`file` to write the figures to")
	server := flags.String("server", nullServer, "`kind` of store: null, versitygw (see e2e/install.sh) or minio (from PATH), for the cases that can do with one")
	profile := flags.String("profile", "", "`folder` for profiles of each gateway by pprof: CPU time, allocations, waiting")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*selected)
	if err != nil {
		return err
	}
	e, err := newEnv(ctx, *profile)
	if err != nil {
		return err
	}
	defer e.close()
	e.Quick, e.Server = *quick, *server
	if *quick {
		e.Rounds = 1
	}
	if *rounds > 0 {
		e.Rounds = *rounds
	}
	report := runAll(ctx, e, pattern)
	if *file != "" {
		err = report.JSON(*file)
	}
	if len(report.Errors) > 0 {
		err = errors.Join(err, errNotAll)
	}
	return errors.Join(err, report.Print(os.Stdout))
}

// runAll runs the cases one after another, and then, two at a time, those to which time is
// nothing.
func runAll(ctx context.Context, e *Env, selected *regexp.Regexp) Report {
	type outcome struct {
		rows []Row
		err  error
	}
	all, began := cases(), time.Now()
	outcomes := make([]outcome, len(all))
	inTurn := func(beside bool, atOnce int) {
		var g errgroup.Group
		g.SetLimit(atOnce)
		for i, c := range all {
			if c.Beside != beside || !selected.MatchString(c.Name) || !c.Real && e.Server != nullServer {
				continue
			}
			g.Go(func() error {
				fmt.Fprintln(os.Stderr, "bench:", c.Name, "begins after", time.Since(began).Round(time.Second))
				outcomes[i].rows, outcomes[i].err = e.alone(ctx, c)
				return nil
			})
		}
		_ = g.Wait() // the errors are among the outcomes
	}
	inTurn(false, 1)
	inTurn(true, 2)
	report := newReport(e)
	for i, o := range outcomes {
		report.Rows = append(report.Rows, o.rows...)
		if o.err != nil {
			report.Errors = append(report.Errors, fmt.Sprintf("%s: %v", all[i].Name, o.err))
		}
	}
	return report
}
