//go:build e2e && week

package e2e

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

func (u *weekUser) mkd(dir string) *weekOp {
	done := func() { u.tree.mkdir(dir) }
	return &weekOp{what: "MKD " + dir, done: done, do: simple("MKD", dir), find: found(dir, done, nil)}
}

// rmd removes a directory, which is refused if something is in it.
func (u *weekUser) rmd(dir string) *weekOp {
	if dir == "/" {
		return nil
	}
	if len(u.tree.in(dir)) > 0 {
		return &weekOp{what: "RMD what is not empty: " + dir, do: func(c *weekClient) error {
			_, err := c.do("RMD %s", dir)
			switch {
			case err == nil:
				return wrong("it was removed")
			case code(err) == 550:
				return nil
			}
			return err
		}}
	}
	done := func() { delete(u.tree.dirs, dir) }
	remove := simple("RMD", dir)
	return &weekOp{what: "RMD " + dir, done: done, find: found(dir, nil, done), do: func(c *weekClient) error {
		err := remove(c)
		if code(err) == 550 {
			time.Sleep(copyMoment)
			err = remove(c)
		}
		return err
	}}
}

func simple(verb, name string) func(*weekClient) error {
	return func(c *weekClient) error {
		_, err := c.do("%s %s", verb, name)
		return err
	}
}

// found looks whether a directory is there, and calls what is for either case.
func found(dir string, there, gone func()) func(*weekClient) error {
	return func(c *weekClient) error {
		_, err := c.do("CWD %s", dir)
		then := there
		if code(err) == 550 {
			then, err = gone, nil
		}
		if err == nil && then != nil {
			then()
		}
		return err
	}
}

// moveDir renames a directory. What is left half done, the same once more completes (S31).
func (u *weekUser) moveDir(from string) *weekOp {
	files, _ := u.tree.below(from)
	if from == "/" || len(files) > 30 {
		return nil
	}
	to := u.fresh("/", "tree")
	done := func() {
		u.gone = append(u.gone, files...)
		u.tree.moveDir(from, to, time.Now().Add(tolerance))
	}
	again := func(c *weekClient) error {
		err := c.rename(from, to)
		var refused errRefused
		if errors.As(err, &refused) && strings.HasPrefix(refused.command, "RNFR") && code(err) == 550 {
			_, err = c.do("CWD %s", to)
		}
		if err == nil {
			done()
		}
		return err
	}
	return &weekOp{what: fmt.Sprintf("rename the directory %s to %s", from, to), done: done, find: again, partly: true,
		do: func(c *weekClient) error { return c.rename(from, to) }}
}
