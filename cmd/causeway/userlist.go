package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"causeway/configs"
	"causeway/gateway"
)

func prepareUserList(flags *flag.FlagSet) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		all, err := gateway.Accounts(ctx, cfg)
		if err != nil {
			return err
		}
		w := columns(c.stdout)
		fmt.Fprintln(w, "NAME\tSTATUS\tTEMPLATE\tFILE")
		for _, a := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", a.Name, statusOf(a), cmp.Or(a.Template, "-"), sourceOf(cfg, a))
		}
		return w.Flush()
	}
}

func prepareUserShow(flags *flag.FlagSet) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		account, err := find(ctx, cfg, flags.Arg(0))
		if err != nil {
			return err
		}
		return show(c.stdout, account, sourceOf(cfg, account))
	}
}

// show prints all of an account but its password and keys.
func show(out io.Writer, a gateway.Account, source string) error {
	w := columns(out)
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", key, value)
		}
	}
	line("name", a.Name)
	line("file", source)
	line("status", statusOf(a))
	line("template", a.Template)
	line("expires", a.Expires.String())
	line("profile", a.Profile)
	line("charset", a.Charset)
	line("tls", string(a.TLS))
	line("min tls version", string(a.MinTLS))
	line("ciphers", string(a.Ciphers))
	line("active", string(a.Active))
	line("listing", string(a.Listing))
	line("unknown site", string(a.UnknownSite))
	for _, n := range a.Networks {
		line("network", n.String())
	}
	line("limits", limits(a.Limits))
	for _, store := range slices.Sorted(maps.Keys(a.Credentials)) {
		what := "keys of its own"
		switch c := a.Credentials[store]; {
		case c.AssumeRole.RoleARN != "":
			what = "a session of " + c.AssumeRole.RoleARN
		case c.CredentialsFile != "":
			what = "those of " + c.CredentialsFile
		case c.SASToken != "":
			what = "a signature of its own"
		}
		line("credentials", store+": "+what)
	}
	for _, m := range a.Mounts {
		j := a.Judgement(m)
		line("mount", fmt.Sprintf("%s is %s:%s, rights %s, incomplete: %s", m.Path, m.Store, m.Prefix, rights(m.Rights), j.Incomplete))
	}
	return w.Flush()
}

// limits are those that there are, in words; "" if there are none.
func limits(l configs.AccountLimits) string {
	var words []string
	add := func(n int64, format string) {
		if n > 0 {
			words = append(words, fmt.Sprintf(format, n))
		}
	}
	add(int64(l.Sessions), "%d sessions")
	add(int64(l.Transfers), "%d transfers at once")
	add(int64(l.UploadRate), "%d bytes a second up")
	add(int64(l.DownloadRate), "%d bytes a second down")
	add(int64(l.FileSize), "files of %d bytes")
	add(int64(l.CommandsPerSecond), "%d commands a second")
	return strings.Join(words, ", ")
}

func rights(list []configs.Right) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// statusOf says whether the account can be logged in to.
func statusOf(a gateway.Account) string {
	switch end := a.Expires.End(); {
	case a.Hidden:
		return "hidden"
	case a.Disabled:
		return "disabled"
	case !end.IsZero() && !time.Now().Before(end):
		return "expired"
	}
	return "active"
}

// sourceOf names the file that an account is in.
func sourceOf(cfg *configs.Config, a gateway.Account) string {
	if a.Source < 0 {
		return "the configuration"
	}
	return cfg.Accounts[a.Source].Place()
}

func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }
