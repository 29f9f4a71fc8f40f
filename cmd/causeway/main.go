// Command causeway is a gateway from FTP and FTPS to object storage. This package is the
// command line alone: subcommands, flags, signals and exit codes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// heapGrowth is by how many percent of what is in use the heap may grow before garbage is
// collected. Go's own 100 is for programs whose memory is their heap; the gateway's is
// buffers beside it, and collecting what is small costs next to nothing.
const heapGrowth = 40

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once, whatever it waits for.
	context.AfterFunc(ctx, stop)
	profiled := profile()
	code := run(ctx, console{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, alone: true}, os.Args[1:])
	profiled()
	stop()
	os.Exit(code)
}

// console is what a subcommand talks to.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	alone          bool // the process is this program's own, and may be confined for good
}

// command is one subcommand.
type command struct {
	name, arguments, summary string
	// prepare declares the flags and returns what runs once they are parsed.
	prepare func(*flag.FlagSet) func(context.Context, console) error
}

func commands() []command {
	return []command{
		{"serve", "-c FILE", "run the gateway", prepareServe},
		{"demo", "", "run a gateway on a local directory, with a fresh user and password", prepareDemo},
		{"check", "-c FILE", "validate the configuration and try what each store permits", prepareCheck},
		{"passwd", "", "read a password and print its hash for the configuration", preparePasswd},
		{"user add", "-c FILE NAME", "add an account to a users file", prepareUserAdd},
		{"user list", "-c FILE", "list all accounts", prepareUserList},
		{"user show", "-c FILE NAME", "show an account, but for its password", prepareUserShow},
		{"user passwd", "-c FILE NAME", "give an account of a users file a new password", prepareUserPasswd},
		{"user disable", "-c FILE NAME", "let nobody in to an account of a users file", prepareUserDisable},
		{"user enable", "-c FILE NAME", "take disable back", prepareUserEnable},
		{"user remove", "-c FILE NAME", "take an account out of a users file; its files stay", prepareUserRemove},
		{"user import", "-c FILE --from SERVER --template TEMPLATE FILE...", "add the accounts of another FTP server to a users file", prepareUserImport},
		{"migrate plan", "--from FILE", "write a configuration to start from, made of another FTP server's", prepareMigratePlan},
		{"migrate diff", "-c FILE FROM TO", "tell how two places in stores, each STORE:PATH, differ", prepareMigrateDiff},
		{"migrate", "-c FILE FROM TO", "copy what FROM has to TO, as far as it is not there or older", prepareMigrate},
		{"version", "", "print the version", prepareVersion},
	}
}

// errUsage: the command line makes no sense; what is wrong has been said.
var errUsage = errors.New("usage")

// run does what args say and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	if len(args) == 0 {
		usage(c.stderr)
		return exitUsage
	}
	if args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		usage(c.stdout)
		return exitOK
	}
	for _, cmd := range commands() {
		words := strings.Fields(cmd.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return cmd.run(ctx, c, args[len(words):])
		}
	}
	fmt.Fprintf(c.stderr, "causeway: unknown command %q; there are: %s\n", strings.Join(args[:min(len(args), 2)], " "), strings.Join(names(args[0]), ", "))
	return exitUsage
}

// names are those of the commands that begin with a word, or of all if none does.
func names(word string) []string {
	var all, some []string
	for _, cmd := range commands() {
		all = append(all, cmd.name)
		if strings.HasPrefix(cmd.name, word+" ") {
			some = append(some, cmd.name)
		}
	}
	if len(some) > 0 {
		return some
	}
	return all
}

func (cmd command) run(ctx context.Context, c console, args []string) int {
	flags := flag.NewFlagSet("causeway "+cmd.name, flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	flags.Usage = func() {
		fmt.Fprintf(flags.Output(), "usage: causeway %s %s\n%s\n", cmd.name, cmd.arguments, cmd.summary)
		flags.PrintDefaults()
	}
	work := cmd.prepare(flags)
	if err := parse(flags, args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	switch wanted := len(cmd.operands()); {
	case strings.HasSuffix(cmd.arguments, "FILE..."):
		if flags.NArg() == 0 {
			fmt.Fprintf(c.stderr, "causeway %s: FILE is required; see causeway %s -h\n", cmd.name, cmd.name)
			return exitUsage
		}
	case flags.NArg() > wanted:
		fmt.Fprintf(c.stderr, "causeway %s: unexpected argument; see causeway %s -h\n", cmd.name, cmd.name)
		return exitUsage
	case flags.NArg() < wanted:
		fmt.Fprintf(c.stderr, "causeway %s: %s required; see causeway %s -h\n", cmd.name, cmd.missing(flags.NArg()), cmd.name)
		return exitUsage
	}
	switch err := work(ctx, c); {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		return exitUsage
	default:
		fmt.Fprintf(c.stderr, "causeway %s: %v\n", cmd.name, err)
		return exitError
	}
}

// operands are the arguments of a command that are no flags.
func (cmd command) operands() []string {
	return slices.DeleteFunc(strings.Fields(cmd.arguments), func(word string) bool {
		return !slices.Contains([]string{"NAME", "FROM", "TO"}, word)
	})
}

// missing names the operands after the first n.
func (cmd command) missing(n int) string {
	if names := cmd.operands()[n:]; len(names) > 1 {
		return strings.Join(names, " and ") + " are"
	}
	return cmd.operands()[n] + " is"
}

// parse is flags.Parse with flags allowed behind operands, where people write them, too.
func parse(flags *flag.FlagSet, args []string) error {
	var operands []string
	for {
		if err := flags.Parse(args); err != nil {
			return err
		}
		if flags.NArg() == 0 {
			return flags.Parse(append([]string{"--"}, operands...))
		}
		rest := flags.Args()
		if len(rest) < len(args) && args[len(args)-len(rest)-1] == "--" {
			return flags.Parse(slices.Concat([]string{"--"}, operands, rest))
		}
		operands, args = append(operands, rest[0]), rest[1:]
	}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Causeway: FTP in, object storage out.\n\nusage: causeway COMMAND [flags]\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-12s %-13s %s\n", cmd.name, cmd.arguments, cmd.summary)
	}
	fmt.Fprint(w, "\ncauseway COMMAND -h tells the flags of a command.\n")
}
