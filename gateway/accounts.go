package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"causeway/auth"
	"causeway/auth/usersfile"
	"causeway/configs"
)

// pollAccounts is how often users files are looked at: soon enough for who waits for a new
// account to work, and a look costs one stat.
const pollAccounts = 2 * time.Second

// accounts are all who may log in: the users of the configuration, then those of its users
// files, which are read again when they change.
type accounts struct {
	cfg   *configs.Config
	files []*accountFile
	users *auth.Users
	asked []auth.Link // the providers among the sources
	log   *slog.Logger

	rehash   *rehasher
	adding   sync.Mutex              // held while a learnt account is written
	measured atomic.Pointer[metrics] // told of logins that are learnt from; may hold nil

	reading sync.Mutex         // held by reload, for what files hold, and by inspect
	closed  bool               // under reading: the files are read no more
	granted func([]auth.Grant) // under reading: told of what accounts are granted; may be nil
}

// accountFile is a users file as it was when it was last right.
type accountFile struct {
	usersfile.Document
	done      func() error
	source    int // index in configs.Config.Accounts
	path      string
	content   *configs.UsersFile
	version   string        // that was looked at last, right or wrong
	inPlace   bool          // it may be found half written
	seen      string        // if inPlace, the version at the last look that found another
	pause     time.Duration // between two looks, beside pollAccounts
	looked    time.Time     // for the last time
	complaint string        // what was wrong then, and has been said
}

// newAccounts makes all accounts. What is wrong with them, in the configuration and in each
// users file, is told as in [configs.Config.Problem].
func newAccounts(ctx context.Context, cfg *configs.Config, log *slog.Logger) (*accounts, error) {
	a := &accounts{cfg: cfg, log: log}
	if err := judgeCharsets(cfg); err != nil {
		return nil, err
	}
	if err := errors.Join(judgeUsers(cfg, cfg.Users), judgeIdentities(cfg, cfg, cfg.Users), a.readFiles(ctx)); err != nil {
		return nil, err
	}
	var err error
	if a.asked, err = a.links(); err == nil {
		a.users, err = auth.New(a.inForce(), newAnonymous(cfg.Anonymous), hashesOf(cfg.Hashes), a.asked...)
	}
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	a.rehash = newRehasher(a)
	return a, nil
}

// close ends what providers and users files hold open. Nobody logs in then.
func (a *accounts) close() error {
	a.reading.Lock()
	defer a.reading.Unlock()
	var errs []error
	if !a.closed {
		for _, f := range a.files {
			errs = append(errs, f.done())
		}
	}
	a.closed = true
	for _, link := range a.asked {
		if c, ok := link.Provider.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// readFiles reads all users files for the first time.
func (a *accounts) readFiles(ctx context.Context) error {
	var errs []error
	for i, source := range a.cfg.Accounts {
		if !source.HasUsers() {
			continue
		}
		d, done, err := document(ctx, a.cfg, source)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f := &accountFile{Document: d, done: done, source: i, path: source.Place(), inPlace: source.File != ""}
		if source.Store != "" {
			f.pause = pollStored
		}
		a.files = append(a.files, f)
		errs = append(errs, locate(a.cfg, i, f.read(ctx, a.cfg)))
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, a.close())
	}
	return nil
}

// locate says where the configuration names a file that cannot be read, and what to do.
func locate(cfg *configs.Config, source int, err error) error {
	field := fmt.Sprintf("accounts[%d].file", source)
	var problem *configs.Problem
	switch {
	case err == nil, errors.As(err, &problem):
		return err
	case cfg.Accounts[source].Store != "":
		return cfg.Problem(fmt.Sprintf("accounts[%d].key", source), "cannot be read: "+err.Error(),
			"put a users file there, with users: [] to begin with, and let the store's credentials read and write it")
	case errors.Is(err, usersfile.ErrExposed):
		return cfg.Problem(field, err.Error(), "take the others' rights away: chmod o= "+cfg.Accounts[source].File)
	case errors.Is(err, fs.ErrNotExist):
		return cfg.Problem(field, "cannot be read: "+err.Error(), "name a users file; configs/examples/users.yaml is one to begin with")
	}
	return cfg.Problem(field, "cannot be read: "+err.Error(), "name a file that the gateway's user may read")
}

// errEmpty is a file that has lost all it had: one that is being written, or on a full disk.
var errEmpty = errors.New("is empty; write users: [] if there is to be no account")

// read takes the file's content if it has changed and is right. The error matches
// usersfile.ErrUnchanged if it has not.
func (f *accountFile) read(ctx context.Context, cfg *configs.Config) error {
	f.looked = time.Now()
	text, version, err := f.Read(ctx, f.version)
	switch {
	case errors.Is(err, usersfile.ErrUnchanged):
		return err
	case err != nil:
		f.version = "" // once it can be read again, it is news
		return err
	}
	// What is written into the file itself, not beside it, may end anywhere, at the end of a
	// line too. It is taken once two looks find the same.
	if f.inPlace && f.content != nil && version != f.seen {
		f.seen = version
		return usersfile.ErrUnchanged
	}
	f.version = version
	if f.content != nil && len(bytes.TrimSpace(text)) == 0 {
		return errEmpty
	}
	content, err := ParseUsers(cfg, f.path, text)
	if err != nil {
		return err
	}
	f.content = content
	return nil
}

// ParseUsers reads the text of a users file, and judges it as far as it can be without the
// others: by [configs.Config.ParseUsers], and by what only the gateway knows.
func ParseUsers(cfg *configs.Config, path string, text []byte) (*configs.UsersFile, error) {
	content, err := cfg.ParseUsers(path, text)
	if err != nil {
		return nil, err
	}
	return content, errors.Join(judgeUsers(content, content.Users), judgeIdentities(cfg, content, content.Users))
}

// work is what accounts in force do beside logins, until ctx ends.
func (a *accounts) work(ctx context.Context) {
	var working sync.WaitGroup
	working.Go(func() { a.run(ctx) })
	working.Go(func() { a.rehash.run(ctx) })
	working.Wait()
}

// run looks at the files every so often, until ctx ends.
func (a *accounts) run(ctx context.Context) {
	if len(a.files) == 0 {
		return
	}
	tick := time.NewTicker(pollAccounts)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.reload(ctx)
		}
	}
}

// reload takes over what has changed and is right. Of a file that is not, the accounts
// stay as they were, and the log says so, once. Sessions go on in any case.
func (a *accounts) reload(ctx context.Context) {
	a.reading.Lock()
	defer a.reading.Unlock()
	if a.closed {
		return
	}
	changed := false
	for _, f := range a.files {
		if time.Since(f.looked) < f.pause {
			continue
		}
		err := f.read(ctx, a.cfg)
		if ctx.Err() != nil {
			return
		}
		f.tell(err, a.log)
		changed = changed || err == nil
	}
	if !changed {
		return
	}
	if users, ok := a.replace(); ok {
		a.log.Info("accounts were read again", slog.Int("count", len(users)))
	}
}

// replace puts what the files hold in force. Only who is in force itself tells of grants.
func (a *accounts) replace() ([]auth.User, bool) {
	users := a.inForce()
	if err := a.users.Replace(users, newAnonymous(a.cfg.Anonymous)); err != nil {
		a.log.Error("accounts could not be replaced; they stay as they were", slog.Any("err", err))
		return nil, false
	}
	if a.granted != nil && !a.closed {
		a.granted(a.grants(users))
	}
	return users, true
}

// inspect has granted told of all that the accounts of the configuration and of files are
// granted, now and when that changes. It is called once.
func (a *accounts) inspect(granted func([]auth.Grant)) {
	a.reading.Lock()
	defer a.reading.Unlock()
	a.granted = granted
	granted(a.grants(a.inForce()))
}

// grants are those of all users, and of who needs no account.
func (a *accounts) grants(users []auth.User) []auth.Grant {
	var all []auth.Grant
	for _, u := range users {
		all = append(all, u.Grants...)
	}
	if anonymous := newAnonymous(a.cfg.Anonymous); anonymous != nil {
		all = append(all, anonymous.Grants...)
	}
	return all
}

// tell logs what a look at the file has found, if it is news.
func (f *accountFile) tell(err error, log *slog.Logger) {
	switch {
	case errors.Is(err, usersfile.ErrUnchanged):
	case err == nil:
		f.complaint = ""
	case err.Error() != f.complaint:
		f.complaint = err.Error()
		log.Error("a users file is wrong; its accounts stay as they were",
			slog.String("path", f.path), slog.String("err", oneLine(f.complaint)))
	}
}

// maxProblems is how many problems of a users file one record of the log tells.
const maxProblems = 10

// oneLine is a text of several lines, the first of them, for the log.
func oneLine(text string) string {
	lines := strings.Split(text, "\n")
	if more := len(lines) - maxProblems; more > 0 {
		lines = append(lines[:maxProblems], fmt.Sprintf("and %d more: causeway check tells all", more))
	}
	return strings.Join(lines, " | ")
}
