package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

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
		g, err := gateway.New(ctx, cfg, gateway.NewLog(c.stderr, cfg.Log))
		if err != nil {
			return err
		}
		return g.Run(ctx)
	}
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
	path := flags.String("c", "", "configuration `FILE`")
	return func(c console) (*configs.Config, error) {
		if *path == "" {
			fmt.Fprintf(c.stderr, "%s: -c FILE is required\n", flags.Name())
			return nil, errUsage
		}
		cfg, err := configs.Load(*path)
		var problems configs.Problems
		if errors.As(err, &problems) {
			return nil, fmt.Errorf("wrong configuration:\n%w", err)
		}
		return cfg, err
	}
}
