package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"causeway/auth"
	"causeway/configs"
	"causeway/gateway"
)

// demoUser is the account of the demonstration.
const demoUser = "demo"

// demoListeners name the flags of the listeners, in their order.
func demoListeners() []string { return []string{"--ftp-address", "--ftps-address"} }

// demo is one run of the demonstration.
type demo struct {
	ftp, ftps string // addresses
	dir       string
	password  string
}

func prepareDemo(flags *flag.FlagSet) func(context.Context, console) error {
	var d demo
	flags.StringVar(&d.ftp, "ftp-address", "127.0.0.1:2121", "`ADDRESS` for FTP with explicit TLS")
	flags.StringVar(&d.ftps, "ftps-address", "127.0.0.1:2990", "`ADDRESS` for FTP with implicit TLS")
	flags.StringVar(&d.dir, "dir", "", "`DIRECTORY` for the files (default: a new temporary one, which is kept)")
	return d.run
}

func (d *demo) run(ctx context.Context, c console) error {
	d.password = strings.ToLower(rand.Text())
	made, err := d.prepare()
	if err != nil {
		return err
	}
	cfg, err := d.config()
	if err != nil {
		return err
	}
	log := gateway.NewLog(c.stderr, cfg.Log)
	c.prepare(cfg, log)
	g, err := gateway.New(ctx, cfg, log)
	if err != nil {
		return err
	}
	addrs, err := g.Listen(ctx)
	if err != nil {
		return errors.Join(listenAdvice(err), os.RemoveAll(made))
	}
	c.confine(cfg, log)
	d.welcome(c.stdout, addrs)
	if err := g.Run(ctx); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "\nStopped. The files stay in %s\n", d.dir)
	return nil
}

// prepare puts the public files into the directory. Where it had to make one it returns
// its path.
func (d *demo) prepare() (made string, err error) {
	if d.dir == "" {
		if made, err = os.MkdirTemp("", "causeway-demo-"); err != nil {
			return "", fmt.Errorf("make directory: %w", err)
		}
		d.dir = made
	}
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return made, fmt.Errorf("--dir: %w", err)
	}
	files := map[string]string{
		"README.txt":      "Everybody may list and read what is in /public.\nThe demo user may write here, too.\n",
		"hello.txt":       "Hello from Causeway.\n",
		"reports/one.csv": "day,files\n2026-01-01,17\n2026-01-02,42\n",
	}
	for name, content := range files {
		if err := addFile(filepath.Join(d.dir, "public", name), content); err != nil {
			return made, fmt.Errorf("--dir: %w", err)
		}
	}
	return made, nil
}

// addFile writes a file that is not there yet.
func addFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	return errors.Join(err, f.Close())
}

func (d *demo) config() (*configs.Config, error) {
	hash, err := auth.Hash(d.password)
	if err != nil {
		return nil, err
	}
	everything := []configs.Right{configs.List, configs.Read, configs.Write, configs.Overwrite, configs.Delete, configs.Rename, configs.Mkdir}
	cfg := configs.Default()
	cfg.Listeners = []configs.Listener{{Address: d.ftp}, {Address: d.ftps, TLS: configs.ImplicitTLS}}
	cfg.TLS.SelfSigned = true
	cfg.Stores = map[string]configs.Store{"disk": {Kind: configs.LocalDir, Path: d.dir}}
	cfg.Users = []configs.User{{
		Name: demoUser, Password: configs.Secret(hash),
		Mounts: []configs.Mount{
			{Path: "/", Store: "disk", Prefix: "demo/", Rights: everything},
			{Path: "/public", Store: "disk", Prefix: "public/", Rights: everything},
		},
	}}
	cfg.Anonymous.Mounts = []configs.AnonymousMount{{Path: "/public", Store: "disk", Prefix: "public/"}}
	cfg.Log = configs.Log{Format: "text", Level: "warn"}
	return cfg, nil
}

// welcome tells everything that a newcomer needs. The lines can be pasted as they are.
func (d *demo) welcome(w io.Writer, addrs []net.Addr) {
	curl := fmt.Sprintf("curl --ssl-reqd -k -u %s:%s", demoUser, d.password)
	base := "ftp://" + addrs[0].String()
	fmt.Fprintf(w, `Causeway demo: an FTP server in front of a directory that behaves like a bucket.

  FTP, explicit TLS   %s
  FTP, implicit TLS   %s
  user                %s
  password            %s
  anonymous           may list and read /public
  files               %s

Upload, list, download:

  echo "my first object" | %s -T - %s/first.txt
  %s %s/
  %s %s/first.txt

-k is there because the certificate was made a moment ago and nobody has signed it.
Ctrl-C stops the demo.
`, addrs[0], addrs[1], demoUser, d.password, d.dir, curl, base, curl, base, curl, base)
}

// listenAdvice names the flag of the address that cannot be listened on.
func listenAdvice(err error) error {
	var at *gateway.ListenError
	if !errors.As(err, &at) {
		return err
	}
	name := at.Field
	for i, flag := range demoListeners() {
		if at.Field == fmt.Sprintf("listeners[%d]", i) {
			name = flag
		}
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: another program listens there, choose another address: %w", name, at.Err)
	}
	return fmt.Errorf("%s: %w", name, at.Err)
}
