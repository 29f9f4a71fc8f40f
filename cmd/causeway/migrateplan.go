package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"causeway/gateway/migrate/plan"
)

func prepareMigratePlan(flags *flag.FlagSet) func(context.Context, console) error {
	from := flags.String("from", "", "`FILE` of the old server: vsftpd.conf, proftpd.conf, pure-ftpd.conf, or Debian's directory /etc/pure-ftpd")
	server := flags.String("server", "", "`SERVER` that it is of, where its name does not tell: "+strings.Join(plan.Servers(), ", "))
	out := flags.String("o", "", "`FILE` to write, which must not be there yet; standard output if not given")
	store := flags.String("store", "", "`MAP` of the store for the files, in YAML, such as \"{kind: s3, bucket: my-bucket, region: eu-central-1}\"")
	root := flags.String("root", "/", "`DIRECTORY` of the old server that the store begins at")
	old := flags.String("old", "", "`URL` of the old server once Causeway has its place, such as ftp://127.0.0.1:2121")
	return func(_ context.Context, c console) error {
		if *server == "" {
			*server = plan.ServerOf(*from)
		}
		if *from == "" || !slices.Contains(plan.Servers(), *server) {
			fmt.Fprintf(c.stderr, "%s: --from FILE is required, and --server where its name does not tell; the servers are: %s\n", flags.Name(), strings.Join(plan.Servers(), ", "))
			return errUsage
		}
		options := plan.Options{Root: *root, Old: *old}
		var err error
		if options.Store, err = storeMap(*store); err != nil {
			return err
		}
		p, err := readPlan(*server, *from)
		if err != nil {
			return err
		}
		if err := writePlan(c, *out, p.YAML(options)); err != nil {
			return err
		}
		for _, n := range p.Notes {
			fmt.Fprintf(c.stderr, "not carried over: %s\n", escape(n.String()))
		}
		fmt.Fprintf(c.stderr, "%d directives, or parts of them, were not carried over\n", len(p.Notes))
		return nil
	}
}

// readPlan reads the configuration of an old server, whose file system is this machine's.
func readPlan(server, from string) (*plan.Plan, error) {
	name, err := filepath.Abs(from)
	if err != nil {
		return nil, err
	}
	volume := filepath.VolumeName(name)
	return plan.Read(os.DirFS(volume+"/"), server, strings.Trim(filepath.ToSlash(name[len(volume):]), "/"))
}

// storeMap is the map of a store in one line, as it stands in a configuration.
func storeMap(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	var values map[string]string
	if err := yaml.Unmarshal([]byte(text), &values); err != nil || values["kind"] == "" || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("--store: %q is no map of a store in one line; write for example \"{kind: localdir, path: ./data}\"", text)
	}
	return text, nil
}

// writePlan writes to a file that is new, or to standard output.
func writePlan(c console, name, text string) error {
	if name == "" {
		_, err := fmt.Fprint(c.stdout, text)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // the service's group reads it; no secret is in it yet
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
