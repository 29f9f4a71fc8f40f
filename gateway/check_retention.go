package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"causeway/auth"
	"causeway/backends"
	"causeway/configs"
)

const (
	// maxCountedKeys is how many keys of a prefix are looked at for their age, ten requests
	// or so: enough to see a rule that would end what it should not.
	maxCountedKeys = 10_000
	// maxCountedPrefixes bounds the time that a check takes with a rule for each of many users.
	maxCountedPrefixes = 100
)

// upkeepOf are the grants of a store for which the gateway works by itself, and those that it
// is behind.
func upkeepOf(cfg *configs.Config, store string) []auth.Grant {
	var all, upkeep []auth.Grant
	for _, u := range cfg.Users {
		all = append(all, newUser(u).Grants...)
	}
	if anonymous := newAnonymous(cfg.Anonymous); anonymous != nil {
		all = append(all, anonymous.Grants...)
	}
	for _, g := range all {
		if g.Store == store && len(charges([]auth.Grant{g})) > 0 || g.Behind.Store == store {
			upkeep = append(upkeep, g)
		}
	}
	return upkeep
}

// checkRetention prints a line for each prefix with a retention. It ends nothing.
func (t trial) checkRetention(ctx context.Context, w io.Writer) {
	r := newRetention(slog.New(slog.DiscardHandler))
	r.stores = map[string]backends.Backend{t.name: t.store}
	r.replace(charges(grantsOf(t.name, t.upkeep)))
	done := 0
	for s := range r.expiries(t.name) {
		if done == maxCountedPrefixes {
			fmt.Fprintf(w, "%-12s  %-6s  not counted below %d more prefixes\n", t.label, "old", len(s.rules)-done)
			return
		}
		done++
		fmt.Fprintf(w, "%-12s  %-6s  %s\n", t.label, "old", s.forecast(ctx))
	}
}

var errEnough = errors.New("enough keys have been looked at")

// forecast says what a round would end now.
func (s *expiry) forecast(ctx context.Context) string {
	var files, keys int
	var octets int64
	err := bounded(ctx, func(ctx context.Context) error {
		return s.each(ctx, func(o backends.Object) error {
			if keys == maxCountedKeys {
				return errEnough
			}
			if keys++; s.covers(o) {
				files, octets = files+1, octets+o.Size
			}
			return nil
		})
	})
	below := fmt.Sprintf("below %q", s.prefix)
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Sprintf("%s could not be counted: %s", below, escape(err.Error()))
	}
	if err != nil {
		below = fmt.Sprintf("of the first %d keys %s, and there are more,", keys, below)
	}
	return fmt.Sprintf("%s %d files of %d bytes are older than %d days: %s", below, files, octets, s.rule.Days, s.fate())
}

// fate is what becomes of the old.
func (s *expiry) fate() string {
	switch {
	case s.rule.DryRun:
		return "kept by dry_run"
	case s.rule.To != "":
		return fmt.Sprintf("to be moved to %q", s.rule.To)
	}
	return "to be deleted"
}
