package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"

	"causeway/auth"
	"causeway/auth/learn"
	"causeway/configs"
)

// ErrSource is a source of accounts that cannot be reached, or does not answer as it must.
var ErrSource = errors.New("sources of accounts do not answer as they must")

// checkSources asks the sources of accounts that are kept elsewhere, without a login, and
// prints a line for each. It returns how many do not answer as they must.
func (a *accounts) checkSources(ctx context.Context, w io.Writer) (failed int) {
	for _, link := range a.asked {
		source := link.Rank - rankOf(0)
		checker, ok := link.Provider.(auth.Checker)
		if !ok {
			continue // it asks nobody
		}
		text := "ok"
		if err := checker.Check(ctx); errors.Is(err, learn.ErrOver) {
			text = "not asked: " + err.Error()
		} else if errors.Is(err, learn.ErrEarly) {
			text = "ok if the old server has a list of names: a made-up one is " + escape(err.Error())
		} else if err != nil {
			text, failed = "failed: "+escape(err.Error()), failed+1
		}
		fmt.Fprintf(w, "%-12s  %-6s  %s\n", fmt.Sprintf("accounts[%d]", source), kindOf(a.cfg.Accounts[source]), text)
	}
	return failed
}

// kindOf is the key of a source of accounts that is kept elsewhere.
func kindOf(s configs.AccountSource) string {
	switch {
	case s.HTTP != nil:
		return "http"
	case s.LDAP != nil:
		return "ldap"
	case s.Learn != nil:
		return "learn"
	}
	return "sql"
}
