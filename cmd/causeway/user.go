package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/auth"
	"causeway/auth/usersfile"
	"causeway/configs"
	"causeway/gateway"
)

// errNoUsersFile says what to do where there is no file to add to.
var errNoUsersFile = errors.New("the configuration names no users file; write accounts: [{file: users.yaml}] into it")

func prepareUserAdd(flags *flag.FlagSet) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	template := flags.String("template", "", "`TEMPLATE` of the users file or the configuration, which says what the account may do")
	generate := generateFlag(flags)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		name := flags.Arg(0)
		source, err := free(ctx, cfg, name)
		if err != nil {
			return err
		}
		if *template == "" {
			fmt.Fprintf(c.stderr, "%s: --template TEMPLATE is required: one of those under templates in %s or in the configuration\n", flags.Name(), cfg.Accounts[source].Place())
			return errUsage
		}
		return withPassword(ctx, c, *generate, func(hash string) error {
			err := gateway.EditAccounts(ctx, cfg, source, func(text []byte) ([]byte, error) {
				return usersfile.Add(text, usersfile.Entry{Name: name, Hash: hash, Template: *template})
			})
			return confirm(c, err, "%s was added to %s", name, cfg.Accounts[source].Place())
		})
	}
}

// free is the first users file, to which a name is to be added that no account has.
func free(ctx context.Context, cfg *configs.Config, name string) (source int, err error) {
	source = slices.IndexFunc(cfg.Accounts, configs.AccountSource.HasUsers)
	if source < 0 {
		return 0, errNoUsersFile
	}
	account, err := find(ctx, cfg, name)
	switch {
	case errors.Is(err, usersfile.ErrUnknown):
		return source, nil
	case err != nil:
		return 0, err
	}
	return 0, fmt.Errorf("%q is an account of %s already; user passwd gives it another password", name, sourceOf(cfg, account))
}

func prepareUserPasswd(flags *flag.FlagSet) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	generate := generateFlag(flags)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		account, err := editable(ctx, cfg, flags.Arg(0))
		if err != nil {
			return err
		}
		return withPassword(ctx, c, *generate, func(hash string) error {
			err := gateway.EditAccounts(ctx, cfg, account.Source, func(text []byte) ([]byte, error) {
				return usersfile.SetPassword(text, account.Name, hash)
			})
			return confirm(c, err, "%s has another password", account.Name)
		})
	}
}

func prepareUserDisable(flags *flag.FlagSet) func(context.Context, console) error {
	return prepareChange(flags, usersfile.Disable, "%s is disabled; its sessions end within seconds, at their next command")
}

func prepareUserEnable(flags *flag.FlagSet) func(context.Context, console) error {
	return prepareChange(flags, usersfile.Enable, "%s is enabled")
}

func prepareUserRemove(flags *flag.FlagSet) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		name := flags.Arg(0)
		if err := change(ctx, c, cfg, name, usersfile.Remove, "%s was removed; its files stay"); err != nil {
			return err
		}
		if l := cfg.Learns(time.Now()); l != nil {
			fmt.Fprintf(c.stderr, "who logs in as %s with the password of %s gets the account anew until the end of %s; to keep it closed, add it again and use user disable\n", name, l.From, l.Until)
		}
		return nil
	}
}

// prepareChange is a subcommand that needs to know no more than the name.
func prepareChange(flags *flag.FlagSet, edit func(text []byte, name string) ([]byte, error), done string) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	return func(ctx context.Context, c console) error {
		cfg, err := load(c)
		if err != nil {
			return err
		}
		return change(ctx, c, cfg, flags.Arg(0), edit, done)
	}
}

// change edits the account of a name in its users file, and says so.
func change(ctx context.Context, c console, cfg *configs.Config, name string, edit func(text []byte, name string) ([]byte, error), done string) error {
	account, err := editable(ctx, cfg, name)
	if err != nil {
		return err
	}
	err = gateway.EditAccounts(ctx, cfg, account.Source, func(text []byte) ([]byte, error) {
		return edit(text, account.Name)
	})
	return confirm(c, err, done, account.Name)
}

// editable is the account of a name, if it is in a users file.
func editable(ctx context.Context, cfg *configs.Config, name string) (gateway.Account, error) {
	account, err := find(ctx, cfg, name)
	if err == nil && account.Source < 0 {
		err = fmt.Errorf("%q is in the configuration itself, under users; change it there, or move it to a users file", name)
	}
	return account, err
}

// find is the account that a name logs in to.
func find(ctx context.Context, cfg *configs.Config, name string) (gateway.Account, error) {
	all, err := gateway.Accounts(ctx, cfg)
	if err != nil {
		return gateway.Account{}, err
	}
	name, _ = auth.Canonical(name)
	i := slices.IndexFunc(all, func(a gateway.Account) bool {
		known, _ := auth.Canonical(a.Name)
		return known == name
	})
	if i < 0 {
		return gateway.Account{}, fmt.Errorf("%w; user list shows those that there are", usersfile.ErrUnknown)
	}
	return all[i], nil
}

func generateFlag(flags *flag.FlagSet) *bool {
	return flags.Bool("generate", false, "make a strong password and print it, this once, instead of reading one")
}

// withPassword calls save with the hash of a password, which is read or made. What was made
// is printed when it has been saved, alone on standard output, so that a script can take it.
func withPassword(ctx context.Context, c console, generate bool, save func(hash string) error) error { //nolint:revive // the flag of the command line
	var password string
	var err error
	if generate {
		password = strings.ToLower(rand.Text())
	} else if password, err = readPassword(ctx, c); err != nil {
		return err
	}
	hash, err := auth.Hash(password)
	if err != nil {
		return err
	}
	if err := save(hash); err != nil || !generate {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, password)
	return err
}

// confirm says what has been done, if it was.
func confirm(c console, err error, done string, args ...any) error {
	if err == nil {
		fmt.Fprintf(c.stderr, done+"\n", args...)
	}
	return err
}
