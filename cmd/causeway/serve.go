package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"syscall"

	"causeway/configs"
	"causeway/gateway"
)

func prepareServe(flags *flag.FlagSet) func(context.Context, console) error {
	load := configFlag(flags)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		log := gateway.NewLog(c.stderr, cfg.Log)
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
		return g.Run(ctx)
	}
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
