package main

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"
)

func prepareVersion(*flag.FlagSet) func(context.Context, console) error {
	return func(_ context.Context, c console) error {
		info, ok := debug.ReadBuildInfo()
		if !ok {
			info = &debug.BuildInfo{}
		}
		fmt.Fprintln(c.stdout, versionLine(info))
		return nil
	}
}

// versionLine says what was built, from which revision, with which Go.
func versionLine(info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "development"
	}
	line := "causeway " + version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			line += " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			line += " modified"
		}
	}
	return line + " " + info.GoVersion
}
