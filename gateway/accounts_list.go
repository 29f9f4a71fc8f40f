package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"

	"causeway/auth"
	"causeway/configs"
)

// Account is an account where it is written.
type Account struct {
	configs.User
	Source int  // index in configs.Config.Accounts; -1 is the configuration itself
	Hidden bool // an account that is asked before it has its name

	field string   // such as users[0]
	at    problems // of the file that it is in
}

// problems is a file that can say where in it something is wrong.
type problems interface {
	Problem(field, wrong, right string) error
}

// Accounts are all accounts of a configuration and its users files, in the order in which
// they are asked. What is wrong with the files is told as in [New]; the configuration's own
// users are taken as they are, since it may be from [configs.LoadAccounts].
func Accounts(ctx context.Context, cfg *configs.Config) ([]Account, error) {
	a := &accounts{cfg: cfg}
	if err := a.readFiles(ctx); err != nil {
		return nil, err
	}
	return a.all(), a.close()
}

// all are all accounts in order.
func (a *accounts) all() []Account {
	var all []Account
	seen := map[string]bool{}
	add := func(source int, at problems, users []configs.User) {
		for i, u := range users {
			name, _ := auth.Canonical(u.Name) // judged before
			all = append(all, Account{User: u, Source: source, Hidden: seen[name], field: fmt.Sprintf("users[%d]", i), at: at})
			seen[name] = true
		}
	}
	add(-1, a.cfg, a.cfg.Users)
	for _, f := range a.files {
		if f.content != nil {
			add(f.source, f.content, f.content.Users)
		}
	}
	return all
}

// inForce are the accounts that can be asked: of those with one name it is the first.
func (a *accounts) inForce() []auth.User {
	var users []auth.User
	for _, account := range a.all() {
		if !account.Hidden {
			user := newUser(account.User)
			user.Rank = rankOf(account.Source)
			users = append(users, user)
		}
	}
	return users
}

// rankOf is the place of a source of accounts among those that are asked; -1 is the
// configuration itself.
func rankOf(source int) int { return source + 1 }

// check tells of accounts that nobody can log in to since another has their name, and
// returns the configuration with the mounts of all others in it.
func (a *accounts) check(w io.Writer) *configs.Config {
	whole := *a.cfg
	whole.Users = nil
	for _, account := range a.all() {
		if !account.Hidden {
			whole.Users = append(whole.Users, account.User)
			continue
		}
		problem := account.at.Problem(account.field+".name", fmt.Sprintf("%q is the name of an account that is asked before", account.Name),
			"nobody can log in to this one; rename or remove one of them")
		fmt.Fprintf(w, "accounts      %s\n", escape(problem.Error()))
	}
	return &whole
}

// judgeUsers finds what is wrong with the users of one file, beyond their form.
func judgeUsers(at problems, users []configs.User) error {
	made := make([]auth.User, len(users))
	for i, u := range users {
		if err := judgeCharset(at, fmt.Sprintf("users[%d]", i), u.Charset); err != nil {
			return err
		}
		made[i] = newUser(u)
	}
	_, err := auth.New(made, nil, auth.Hashes{DES: true}) // whether it may be is judged with its form
	var of *auth.AccountError
	if errors.As(err, &of) {
		return accountProblem(at, of)
	}
	return err
}

// judgeCharsets finds what is wrong with the charsets of profiles and templates, which may
// be used by accounts that are not known yet.
func judgeCharsets(cfg *configs.Config) error {
	var errs []error
	for name, p := range cfg.Profiles {
		errs = append(errs, judgeCharset(cfg, "profiles."+name, p.Charset))
	}
	for name, t := range cfg.Templates {
		errs = append(errs, judgeCharset(cfg, "templates."+name, t.Charset))
	}
	return errors.Join(errs...)
}

func judgeCharset(at problems, field, name string) error {
	if carriesCommands(name) {
		return nil
	}
	return at.Problem(field+".charset", fmt.Sprintf("%q is not a charset for file names", name),
		"write one of the Encoding Standard's names, such as latin1, gbk or shift_jis, or nothing for UTF-8")
}

// accountProblem locates what package auth refuses.
func accountProblem(at problems, of *auth.AccountError) error {
	field := fmt.Sprintf("users[%d]", of.Index)
	if errors.Is(of, auth.ErrHash) {
		return at.Problem(field+".password", "the hash is damaged, of a kind that is not known, or too dear to check",
			"write what `causeway passwd` prints")
	}
	return at.Problem(field+".name", of.Err.Error(), "choose another name")
}
