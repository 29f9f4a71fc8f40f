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
	_, err := editAccounts(ctx, cfg, source, change, func(*configs.UsersFile) error { return nil })
	return err
}

// editAccounts is EditAccounts that returns what is in the file then. judge may refuse it
// before it is written.
func editAccounts(ctx context.Context, cfg *configs.Config, source int, change func(text []byte) ([]byte, error), judge func(*configs.UsersFile) error) (*configs.UsersFile, error) {
	place := cfg.Accounts[source].Place()
	d, done, err := document(ctx, cfg, cfg.Accounts[source])
	if err != nil {
		return nil, err
	}
	var content *configs.UsersFile
	err = usersfile.Edit(ctx, d, func(text []byte) ([]byte, error) {
		changed, err := change(text)
		if err != nil {
			return nil, err
		}
		if content, err = ParseUsers(cfg, place, changed); err != nil {
			return nil, fmt.Errorf("this would make a wrong users file:\n%w", err)
		}
		return changed, judge(content)
	})
	if err = errors.Join(err, done()); err != nil {
		return nil, fmt.Errorf("edit %s: %w", place, err)
	}
	return content, nil
}

// readAccounts is what is in a users file now.
func readAccounts(ctx context.Context, cfg *configs.Config, source int) (*configs.UsersFile, error) {
	d, done, err := document(ctx, cfg, cfg.Accounts[source])
	if err != nil {
		return nil, err
	}
	text, _, err := d.Read(ctx, "")
	if err = errors.Join(err, done()); err != nil {
		return nil, err
	}
	return ParseUsers(cfg, cfg.Accounts[source].Place(), text)
}
