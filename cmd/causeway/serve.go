package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"causeway/configs"
	"causeway/gateway"
)

func prepareServe(flags *flag.FlagSet) func(context.Context, console) error {
	load := configFlag(flags)
	return func(ctx context.Context, c console) error {
		hangups := make(chan os.Signal, 1) // a second one during a reload is another
		signal.Notify(hangups, syscall.SIGHUP)
		defer signal.Stop(hangups)
		cfg, err := load(c)
		if err != nil {
			return err
		}
		log, setLevel := gateway.NewAdjustableLog(c.stderr, cfg.Log)
		c.prepare(cfg, log)
		g, err := gateway.New(ctx, cfg, log)
		if err != nil {
			return err
		}
		_, err = g.Listen(ctx)
		var at *gateway.ListenError
		if errors.As(err, &at) {
			return cfg.Problem(at.Field+".address", at.Err.Error(), listenRemedy(at))
		}
		c.confine(cfg, log)
		return whileServing(ctx, g.Run, hangups, func() {
			next, err := load(c)
			if err == nil {
				err = g.Reload(ctx, next)
			}
			if err != nil {
				c.tellReload(cfg, log, err)
				return
			}
			setLevel(next.Log.Level)
		})
	}
}

// whileServing runs a gateway, and reloads at each signal until it has ended.
func whileServing(ctx context.Context, run func(context.Context) error, hangups <-chan os.Signal, reload func()) error {
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	for {
		select {
		case err := <-ended:
			return err
		case <-hangups:
			reload()
		}
	}
}

// tellReload tells why a configuration was not taken over.
func (c console) tellReload(cfg *configs.Config, log *slog.Logger, err error) {
	attrs := []any{slog.String("err", strings.ReplaceAll(err.Error(), "\n", " | "))}
	if c.confines(cfg) {
		attrs = append(attrs, slog.String("note", "files that the old one did not name are closed to the sandbox until a restart"))
	}
	log.Error("the configuration is wrong; the old one stays", attrs...)
}

// listenRemedy says what would be right where an address cannot be listened on.
func listenRemedy(at *gateway.ListenError) string {
	switch {
	case errors.Is(at, syscall.EADDRINUSE):
		return "end the program that listens there, or choose another port"
	case errors.Is(at, syscall.EACCES):
		return "ports below 1024 need the capability CAP_NET_BIND_SERVICE; the systemd unit grants it"
	case at.Field == "admin":
		return "write an address of this machine, such as \"127.0.0.1:9121\""
	}
	return "write an address of this machine, or only the port, such as \":2121\""
}

func prepareCheck(flags *flag.FlagSet) func(context.Context, console) error {
	load := configFlag(flags)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		return gateway.Check(ctx, cfg, c.stdout)
	}
}

// configFlag declares -c and returns what loads the file that it names.
func configFlag(flags *flag.FlagSet) func(console) (*configs.Config, error) {
	return fileFlag(flags, configs.Load)
}

// fileFlag is configFlag with another way to load the file.
func fileFlag(flags *flag.FlagSet, load func(path string) (*configs.Config, error)) func(console) (*configs.Config, error) {
	path := flags.String("c", "", "configuration `FILE`")
	return func(c console) (*configs.Config, error) {
		if *path == "" {
			fmt.Fprintf(c.stderr, "%s: -c FILE is required\n", flags.Name())
			return nil, errUsage
		}
		cfg, err := load(*path)
		var problems configs.Problems
		if errors.As(err, &problems) {
			return nil, fmt.Errorf("wrong configuration:\n%w", err)
		}
		return cfg, err
	}
}
