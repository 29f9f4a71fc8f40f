package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// maxLines is the length that no file may exceed.
const maxLines = 400

// module is the prefix of our own import paths.
const module = "causeway/"

// goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// rule says what packages below a path may import. The longest path decides.
type rule struct {
	of      string   // the package, or with a trailing slash everything below it
	ours    []string // import paths of ours, without the module; a trailing slash means everything below
	stdOnly bool     // nothing but ours and the standard library
}

// rules is the house of the design: imports point one way. cmd and gateway,
// which put the parts together, may import anything.
var rules = []rule{
	{of: "gateway/ftp", stdOnly: true},
	{of: "gateway/ftp/", ours: []string{"gateway/ftp"}},
	{of: "gateway/audit", ours: []string{"gateway/ftp"}},
	{of: "gateway/migrate/plan", stdOnly: true},
	{of: "gateway/quota", stdOnly: true, ours: []string{"backends"}},
	{of: "gateway/sandbox"},
	{of: "gateway/limits", ours: []string{"gateway/ftp"}},
	{of: "gateway/names"},
	{of: "gateway/migrate", ours: []string{"gateway/names", "backends"}},
	{of: "gateway/vfs", ours: []string{"gateway/ftp", "gateway/names", "gateway/quota", "backends", "backends/readahead"}},
	{of: "backends", stdOnly: true},
	{of: "backends/", ours: []string{"backends", "backends/journal", "backends/multipart", "backends/readahead", "backends/transport"}},
	{of: "backends/ftp", ours: []string{"backends", "backends/ftp/ftpclient"}},
	{of: "backends/ftp/ftpclient"},
	{of: "backends/ftp/ftptest", stdOnly: true},
	{of: "backends/journal", ours: []string{"backends"}},
	{of: "backends/metered", ours: []string{"backends"}},
	{of: "backends/multipart", ours: []string{"backends"}},
	{of: "backends/readahead", ours: []string{"backends"}},
	{of: "backends/readthrough", ours: []string{"backends", "backends/readahead"}},
	{of: "backends/transport", ours: []string{"backends"}},
	{of: "cache", ours: []string{"backends"}},
	{of: "auth"},
	{of: "auth/", ours: []string{"auth"}},
	{of: "configs"},
	{of: "configs/", ours: []string{"configs"}},
	{of: "e2e/", ours: []string{"e2e/"}},
}

func TestImportsPointOneWay(t *testing.T) {
	for _, pkg := range packages(t) {
		name := strings.TrimPrefix(pkg.ImportPath, module)
		rule, ok := ruleOf(name)
		if !ok {
			continue
		}
		for _, imported := range pkg.Imports {
			if err := rule.check(imported); err != nil {
				t.Errorf("%s imports %s: %v", name, imported, err)
			}
		}
	}
}

// TestOnlyOneFileNamesAllStores keeps the map from kind to constructor in one place.
func TestOnlyOneFileNamesAllStores(t *testing.T) {
	stores := []string{"s3", "gcs", "azblob", "localdir"}
	var files []string
	for _, pkg := range packages(t) {
		for _, file := range pkg.GoFiles {
			path := filepath.Join(pkg.Dir, file)
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			imports := 0
			for _, store := range stores {
				imports += bytes.Count(src, []byte(`"causeway/backends/`+store+`"`))
			}
			if imports > 1 {
				files = append(files, path)
			}
		}
	}
	if len(files) > 1 {
		t.Errorf("more than one file names several stores: %v", files)
	}
}

// TestFilesAreShort looks at every Go file there is, whatever its build tags.
func TestFilesAreShort(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		files++
		src, err := os.ReadFile(path)
		if lines := bytes.Count(src, []byte{'\n'}); lines > maxLines {
			t.Errorf("%s has %d lines, more than %d", path, lines, maxLines)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files read: %v", files, err)
	}
}

func ruleOf(name string) (rule, bool) {
	var found rule
	for _, r := range rules {
		if covers(r.of, name) && len(r.of) > len(found.of) {
			found = r
		}
	}
	return found, found.of != ""
}

// check returns why the rule forbids the import, or nil.
func (r rule) check(imported string) error {
	ours, isOurs := strings.CutPrefix(imported, module)
	if !isOurs {
		first, _, _ := strings.Cut(imported, "/")
		if r.stdOnly && strings.Contains(first, ".") {
			return errors.New("only the standard library is allowed")
		}
		return nil
	}
	for _, allowed := range r.ours {
		if covers(allowed, ours) {
			return nil
		}
	}
	return errors.New("imports point one way, and this is not it")
}

func covers(pattern, name string) bool {
	if strings.HasSuffix(pattern, "/") {
		return strings.HasPrefix(name, pattern)
	}
	return name == pattern
}

// packages lists the module's packages, without their tests.
func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg goPackage
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, pkg)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list found no packages")
	}
	return pkgs
}
