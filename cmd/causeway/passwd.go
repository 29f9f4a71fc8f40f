package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"causeway/auth"
)

// maxLine bounds what is read from a pipe; no password is nearly as long.
const maxLine = 4096

var errInterrupted = errors.New("interrupted")

func preparePasswd(*flag.FlagSet) func(context.Context, console) error {
	return func(ctx context.Context, c console) error {
		password, err := readPassword(ctx, c)
		if err != nil {
			return err
		}
		hash, err := auth.Hash(password)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.stdout, hash)
		return nil
	}
}

// readPassword asks twice at a terminal, without echo, else reads one line.
func readPassword(ctx context.Context, c console) (string, error) {
	if f, ok := c.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return askTwice(ctx, c.stderr, int(f.Fd()))
	}
	line, err := bufio.NewReader(io.LimitReader(c.stdin, maxLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func askTwice(ctx context.Context, w io.Writer, fd int) (string, error) {
	first, err := ask(ctx, w, fd, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := ask(ctx, w, fd, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the passwords differ")
	}
	return first, nil
}

// ask reads a line without echo. When ctx ends, which is what Ctrl-C does, the terminal
// gets its echo back; the read is left behind and ends with the program.
func ask(ctx context.Context, w io.Writer, fd int, prompt string) (string, error) {
	if ctx.Err() != nil {
		return "", errInterrupted
	}
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	fmt.Fprint(w, prompt)
	defer fmt.Fprintln(w)
	type answer struct {
		line []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		if a.err != nil {
			return "", fmt.Errorf("read password: %w", a.err)
		}
		return string(a.line), nil
	case <-ctx.Done():
		return "", errors.Join(errInterrupted, term.Restore(fd, before))
	}
}
