package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"causeway/auth"
	"causeway/auth/importers"
	"causeway/auth/usersfile"
	"causeway/configs"
	"causeway/gateway"
)

// maxImport bounds a file of another server.
const maxImport = 64 << 20

// importing is one run of user import.
type importing struct {
	cfg    *configs.Config
	source int // index of the users file in cfg.Accounts
	notes  []importers.Note

	template, strip string
	replace         bool
}

func prepareUserImport(flags *flag.FlagSet) func(context.Context, console) error {
	load := fileFlag(flags, configs.LoadAccounts)
	from := flags.String("from", "", "`SERVER` that the files are of: "+strings.Join(importers.Servers(), ", "))
	template := flags.String("template", "", "`TEMPLATE` of the accounts, which says what they may do")
	strip := flags.String("home-strip", "", "`PREFIX` of the homes; the rest takes the place of {home} in the template")
	file := flags.String("file", "", "users `FILE` to write, one of those under accounts, or STORE:KEY; the first if not given")
	replace := flags.Bool("replace", false, "put accounts in the place of those of the same name in the users file")
	dry := flags.Bool("dry-run", false, "tell what would be done, and do nothing")
	return func(ctx context.Context, c console) error {
		if !slices.Contains(importers.Servers(), *from) || *template == "" {
			fmt.Fprintf(c.stderr, "%s: --from SERVER and --template TEMPLATE are required; the servers are: %s\n", flags.Name(), strings.Join(importers.Servers(), ", "))
			return errUsage
		}
		cfg, err := load(c)
		if err != nil {
			return err
		}
		i := importing{cfg: cfg, template: *template, strip: *strip, replace: *replace}
		if i.source, err = usersFileOf(cfg, *file); err != nil {
			return err
		}
		files, err := readFiles(flags.Args())
		if err != nil {
			return err
		}
		found := importers.Read(*from, files, importers.Options{
			Check: auth.Hashes{DES: cfg.Hashes.Allows(configs.DESCrypt)}.Checker(),
			Hash:  auth.Hash,
		})
		i.notes = found.Notes
		taken, err := i.add(ctx, found.Accounts, *dry)
		if err != nil {
			return err
		}
		return i.report(c, taken, *dry)
	}
}

// usersFileOf is the index of a users file; "" is the first.
func usersFileOf(cfg *configs.Config, file string) (int, error) {
	wanted, err := filepath.Abs(file)
	if err != nil {
		return 0, err
	}
	for i, source := range cfg.Accounts {
		if !source.HasUsers() {
			continue
		}
		if file == "" || file == source.Place() {
			return i, nil
		}
		if known, err := filepath.Abs(source.File); source.File != "" && err == nil && known == wanted {
			return i, nil
		}
	}
	if file == "" {
		return 0, errNoUsersFile
	}
	return 0, fmt.Errorf("%s is none of the configuration's users files; write accounts: [{file: %s}] into it", file, file)
}

func readFiles(paths []string) ([]importers.File, error) {
	var files []importers.File
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(f, maxImport+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if len(text) > maxImport {
			return nil, fmt.Errorf("%s is larger than %d MiB", path, maxImport>>20)
		}
		files = append(files, importers.File{Path: path, Text: text})
	}
	return files, nil
}

// errDry keeps the file as it is.
var errDry = errors.New("nothing is to be written")

// add puts the accounts into the users file, all at once, and returns how many it could
// take.
func (i *importing) add(ctx context.Context, found []importers.Account, dry bool) (int, error) { //nolint:revive // the flag of the command line
	known, err := gateway.Accounts(ctx, i.cfg)
	if err != nil {
		return 0, err
	}
	entries := i.entries(found, known)
	if len(entries) == 0 {
		return 0, nil
	}
	taken, noted := 0, len(i.notes)
	err = gateway.EditAccounts(ctx, i.cfg, i.source, func(text []byte) ([]byte, error) {
		i.notes = i.notes[:noted] // the file may be read several times
		changed, n, err := i.write(text, entries)
		if taken = n; err == nil && (dry || n == 0) {
			_, err = gateway.ParseUsers(i.cfg, i.cfg.Accounts[i.source].Place(), changed)
			err = errors.Join(err, errDry)
		}
		return changed, err
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return taken, err
}

// candidate is an account as it would be written, and where it was.
type candidate struct {
	usersfile.Entry
	importers.Origin
}

// entries are the accounts that can be written, as far as each can tell by itself.
func (i *importing) entries(found []importers.Account, known []gateway.Account) []candidate {
	sources := map[string]int{}
	for _, a := range slices.Backward(known) {
		name, _ := auth.Canonical(a.Name) // judged before
		sources[name] = a.Source
	}
	var entries []candidate
	for _, a := range found {
		source, exists := sources[a.Name]
		home, wrong := i.home(a)
		switch {
		case exists && source != i.source:
			wrong = "is an account already, elsewhere than in this users file"
		case exists && !i.replace:
			wrong = "is an account already; --replace puts this one in its place"
		}
		if wrong != "" {
			i.notes = append(i.notes, importers.Note{Origin: a.Origin, Name: a.Name, Text: wrong, Lost: true})
			continue
		}
		e := usersfile.Entry{Name: a.Name, Hash: a.Hash, Template: i.template, Home: home, Disabled: a.Disabled}
		if !a.Expires.IsZero() {
			e.Expires = a.Expires.Format("2006-01-02")
		}
		for _, n := range a.Networks {
			e.Networks = append(e.Networks, n.String())
		}
		entries = append(entries, candidate{e, a.Origin})
	}
	return entries
}

// home is what {home} stands for, or why the account's home cannot be taken.
func (i *importing) home(a importers.Account) (home, wrong string) {
	path := func(s string) string { return strings.TrimRight(strings.ReplaceAll(s, `\`, "/"), "/") }
	if i.strip == "" {
		last := path(a.Home)[strings.LastIndexByte(path(a.Home), '/')+1:]
		if a.Home != "" && last != a.Name {
			i.notes = append(i.notes, importers.Note{Origin: a.Origin, Name: a.Name, Text: fmt.Sprintf("its home %q is not carried over; --home-strip does", a.Home)})
		}
		return "", ""
	}
	home, within := strings.CutPrefix(path(a.Home), path(i.strip)+"/")
	if !within || home == "" {
		return "", fmt.Sprintf("its home %q is not below %q", a.Home, i.strip)
	}
	return home, ""
}

// write is the text with the accounts in it, but for those with which it would be wrong.
func (i *importing) write(text []byte, entries []candidate) (changed []byte, taken int, err error) {
	if changed, err = i.put(text, entries); err != nil {
		return nil, 0, err
	}
	path := i.cfg.Accounts[i.source].Place()
	if _, err := gateway.ParseUsers(i.cfg, path, changed); err == nil {
		return changed, len(entries), nil
	}
	if _, err := gateway.ParseUsers(i.cfg, path, text); err != nil {
		return nil, 0, err // it was wrong before
	}
	var fit []candidate
	for _, e := range entries {
		alone, err := i.put(text, []candidate{e})
		if err == nil {
			_, err = gateway.ParseUsers(i.cfg, path, alone)
		}
		var problem *configs.Problem
		switch {
		case err == nil:
			fit = append(fit, e)
		case errors.As(err, &problem):
			i.notes = append(i.notes, importers.Note{Origin: e.Origin, Name: e.Name, Text: problem.Wrong + "; " + problem.Right, Lost: true})
		default:
			return nil, 0, err
		}
	}
	changed, err = i.put(text, fit)
	return changed, len(fit), err
}

// put is the text with the accounts in it, in place of those of their names.
func (i *importing) put(text []byte, entries []candidate) ([]byte, error) {
	var added []usersfile.Entry
	for _, e := range entries {
		added = append(added, e.Entry)
		if !i.replace {
			continue
		}
		without, err := usersfile.Remove(text, e.Name)
		switch {
		case err == nil:
			text = without
		case !errors.Is(err, usersfile.ErrUnknown):
			return nil, err
		}
	}
	return usersfile.Add(text, added...)
}

// report tells what was not taken, and fails if that was an account.
func (i *importing) report(c console, taken int, dry bool) error { //nolint:revive // the flag of the command line
	lost := 0
	for _, n := range i.notes {
		kind := "note"
		if n.Lost {
			kind, lost = "not taken", lost+1
		}
		fmt.Fprintf(c.stderr, "%s: %s\n", kind, escape(n.String()))
	}
	done := "were written to"
	if dry {
		done = "would be written to"
	}
	fmt.Fprintf(c.stderr, "%d accounts %s %s, %d were not taken\n", taken, done, i.cfg.Accounts[i.source].Place(), lost)
	if lost > 0 {
		return fmt.Errorf("%d accounts or lines were not taken", lost)
	}
	return nil
}

// escape keeps a file's text from steering the terminal.
func escape(s string) string {
	quoted := fmt.Sprintf("%q", s)
	if quoted == `"`+s+`"` || !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return s
	}
	return quoted
}
