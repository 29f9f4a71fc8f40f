package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads and checks the configuration file. Values of the form ${NAME} are replaced by
// environment variables; relative paths are relative to the file's own directory.
//
// The error is [Problems] if the file could be read.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return parse(path, data, theHost())
}

// LoadAccounts is Load for who asks for accounts only: what is wrong with the rest, such as
// a variable that is set where the gateway runs and not here, is left to Load. The result
// is good for nothing else.
func LoadAccounts(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	cfg, r := examine(path, data, theHost())
	if r.inside("tls") {
		cfg.TLS.SelfSigned = true // there is a certificate, somewhere
	}
	r.problems = slices.DeleteFunc(r.problems, func(p *Problem) bool {
		return p.Field != "" && p.Field != "accounts" && !strings.HasPrefix(p.Field, "accounts[")
	})
	if err := r.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// host is what a configuration may refer to.
type host struct {
	env      func(name string) (string, bool)
	readFile func(path string) ([]byte, error)
	// evalLinks is [filepath.EvalSymlinks].
	evalLinks func(path string) (string, error)
	// exposed is [Exposed]; nil where no file is.
	exposed func(path string) bool
}

// theHost is the machine that the program runs on.
func theHost() host {
	return host{env: os.LookupEnv, readFile: os.ReadFile, evalLinks: filepath.EvalSymlinks, exposed: Exposed}
}

// directory is the absolute path of a directory, which need not exist yet, without links
// on the way to it.
func (h host) directory(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if resolved, err := h.evalLinks(abs); err == nil {
		return resolved
	}
	if parent := filepath.Dir(abs); parent != abs {
		return filepath.Join(h.directory(parent), filepath.Base(abs))
	}
	return abs
}

// parse is Load of a file's content.
func parse(path string, data []byte, h host) (*Config, error) {
	cfg, r := examine(path, data, h)
	if err := r.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// examine reads a file's content as far as it can be, and reports what is wrong with it.
func examine(path string, data []byte, h host) (*Config, *report) {
	r := newReport(path)
	cfg := Default()
	root, err := document(data)
	if err != nil {
		r.problems = append(r.problems, syntaxProblem(path, data, err))
		return cfg, r
	}
	d := decoder{report: r, host: h}
	d.decode(root, cfg)
	d.exposure(path)
	cfg.resolvePaths(filepath.Dir(path))
	c := checker{report: r, cfg: cfg, host: h, hashes: hashForms()}
	c.check()
	cfg.source = r.source
	return cfg, r
}

var errDocuments = errors.New("more than one document")

// document returns the root node of the one YAML document in data.
func document(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.MappingNode, Line: 1}, nil
	} else if err != nil {
		return nil, err
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
		return doc.Content[0], nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("yaml: line %d: %w", second.Line, errDocuments)
}
