package gateway

import (
	"context"
	"errors"
	"fmt"

	"causeway/auth/usersfile"
	"causeway/configs"
)

// EditAccounts replaces the text of a users file, which cfg.Accounts has at index source,
// by what change makes of it, unless that would be a wrong one. Another edit at the same
// time is not lost: change is then called again. A gateway that runs takes the new file
// over by itself.
func EditAccounts(ctx context.Context, cfg *configs.Config, source int, change func(text []byte) ([]byte, error)) error {
	place := cfg.Accounts[source].Place()
	d, done, err := document(ctx, cfg, cfg.Accounts[source])
	if err != nil {
		return err
	}
	err = usersfile.Edit(ctx, d, func(text []byte) ([]byte, error) {
		changed, err := change(text)
		if err != nil {
			return nil, err
		}
		if _, err := ParseUsers(cfg, place, changed); err != nil {
			return nil, fmt.Errorf("this would make a wrong users file:\n%w", err)
		}
		return changed, nil
	})
	if err = errors.Join(err, done()); err != nil {
		return fmt.Errorf("edit %s: %w", place, err)
	}
	return nil
}
