package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"causeway/configs"
)

// Reload takes over what the gateway can follow of a configuration that has changed: who may
// log in and what they may use, for logins that come from then on; what guessers have; the
// certificate. The log says what was taken over, and of each other key that has changed that
// it takes a restart. If something is wrong the error says what, as in [New], and nothing has
// changed. The level of the log is the caller's. It is called by one goroutine at a time.
func (g *Gateway) Reload(ctx context.Context, next *configs.Config) error {
	change, err := g.cfg.Adopt(next)
	if err != nil {
		return err
	}
	made, err := newAccounts(ctx, change.Config, g.log)
	if err != nil {
		return err
	}
	if g.shown != nil {
		if err := g.shown.follow(change.Config); err != nil {
			return errors.Join(err, made.close())
		}
	}
	made.measured.Store(g.accounts.Load().measured.Load())
	if err := g.accounts.Swap(made).close(); err != nil {
		g.log.Warn("connections to providers of accounts did not end well", slog.Any("err", err))
	}
	g.upkeep.forget()
	made.inspect(g.upkeep.list) // after those that were have said their last
	select {
	case g.replaced <- struct{}{}:
	default: // said already, and not heard yet
	}
	g.guard.SetLimits(guardLimits(change.Config.Guard))
	g.cfg = change.Config
	g.log.Info("configuration was read again", slog.String("changed", fmt.Sprint(change.Keys)))
	for _, key := range change.Restart {
		g.log.Warn("a key of the configuration has changed that takes a restart", slog.String("key", key))
	}
	return nil
}

// workAccounts lets the accounts in force do their work, until ctx ends.
func (g *Gateway) workAccounts(ctx context.Context) {
	for ctx.Err() == nil {
		term, end := context.WithCancel(ctx)
		var working sync.WaitGroup
		working.Go(func() { g.accounts.Load().work(term) })
		select {
		case <-ctx.Done():
		case <-g.replaced:
		}
		end()
		working.Wait()
	}
}
