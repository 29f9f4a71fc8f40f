package plan

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/configs"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestPlans compares what becomes of configurations of each server and form with golden
// files, and loads it.
func TestPlans(t *testing.T) {
	for _, c := range []struct{ server, from, root string }{
		{Vsftpd, "etc/vsftpd.conf", "/srv/ftp"},
		{Vsftpd, "etc/vsftpd_readonly.conf", ""},
		{ProFTPD, "etc/proftpd/proftpd.conf", "/home"},
		{PureFTPd, "etc/pure-ftpd", ""},
		{PureFTPd, "etc/pure-ftpd/pure-ftpd.conf", ""},
		{PureFTPd, "etc/pure-ftpd/cmdline", ""},
	} {
		t.Run(strings.ReplaceAll(c.from, "/", "_"), func(t *testing.T) {
			p, err := Read(os.DirFS("testdata"), c.server, c.from)
			if err != nil {
				t.Fatal(err)
			}
			text := p.YAML(Options{Root: c.root})
			loads(t, text)
			golden := filepath.Join("testdata", strings.ReplaceAll(c.from, "/", "_")+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if text != string(want) {
				t.Errorf("got\n%s\nwant\n%s", text, want)
			}
		})
	}
}

// TestUncommented loads what an operator makes of a plan for the time in which both servers
// run.
func TestUncommented(t *testing.T) {
	for _, from := range []string{"etc/vsftpd.conf", "etc/pure-ftpd"} {
		uncommented(t, from, Options{Root: "/srv/ftp", Old: "ftps://old.example"})
	}
	cfg := uncommented(t, "etc/vsftpd_readonly.conf", Options{})
	if t.Failed() {
		return
	}
	for _, m := range cfg.Anonymous.Mounts {
		if m.Behind.Store != "old" || m.Behind.Prefix() != "srv/ftp/" || m.Prefix != "srv/ftp/" {
			t.Errorf("anonymous clients do not see what is at the old server: %+v", m)
		}
	}
}

func uncommented(t *testing.T, from string, o Options) *configs.Config {
	t.Helper()
	p, err := Read(os.DirFS("testdata"), ServerOf(from), from)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("OLD_PASSWORD", "secret")
	return loads(t, strings.NewReplacer("# old:", "old:", "# - learn:", "- learn:", "# - {file:", "- {file:", "# behind:", "behind:", "# mirror_writes:", "mirror_writes:").Replace(p.YAML(o)))
}

// loads fails unless a text is a configuration, whose certificate may be elsewhere.
func loads(t testing.TB, text string) *configs.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "causeway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Load(file)
	var problems configs.Problems
	if errors.As(err, &problems) {
		for _, one := range problems {
			if !strings.HasPrefix(one.Field, "tls.") {
				t.Errorf("%v", one)
			}
		}
	} else if err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	return cfg
}

func TestServersByName(t *testing.T) {
	for name, want := range map[string]string{
		"/etc/vsftpd.conf": Vsftpd, "vsftpd/ftp.conf": Vsftpd, "/etc/proftpd/proftpd.conf": ProFTPD, "/etc/pure-ftpd": PureFTPd,
		"/etc/pure-ftpd/": PureFTPd, "pureftpd.conf": PureFTPd, "/etc/ftpd.conf": "", "": "",
	} {
		if got := ServerOf(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	for _, server := range Servers() {
		if _, err := Read(os.DirFS("testdata"), server, "etc/nothing"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", server, err)
		}
	}
	if _, err := Read(os.DirFS("testdata"), "wu-ftpd", "etc/vsftpd.conf"); !errors.Is(err, errServer) {
		t.Errorf("%v", err)
	}
}

// TestSecretsStayThere reads passwords in directives that are not carried over.
func TestSecretsStayThere(t *testing.T) {
	p, err := Read(os.DirFS("testdata"), ProFTPD, "etc/proftpd/proftpd.conf")
	if err != nil {
		t.Fatal(err)
	}
	if text := p.YAML(Options{}) + fmt.Sprint(p.Notes); strings.Contains(text, "sEcret") || strings.Contains(text, "$1$") {
		t.Errorf("%s", text)
	}
}

func TestPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"*.mp3": "*.mp3", "{*.mp3,.private}": "*.mp3 .private", "a{b,c}d": "abd acd", "{a,b}{c,d}": "ac ad bc bd", "a[b": `a\[b`,
		"{a,{b}}": "", "{a": "", "": "", "a/b": "", "{,a}": "",
	} {
		got, ok := alternatives(pattern)
		if ok != (want != "") || ok && strings.Join(got, " ") != want {
			t.Errorf("%q: %q %v, want %q", pattern, got, ok, want)
		}
	}
	for expression, want := range map[string]string{
		`^\.`: ".*", `\.exe$`: "*.exe", `^(\.ftpaccess|\.htaccess)$`: ".ftpaccess .htaccess", `\.exe$|\.bat$`: "*.exe *.bat",
		`^a.*b$`: "a*b", `x`: "*x*", `^core$`: "core", `^a.c$`: "a?c", `[a-z]+`: "", `a+`: "", `.*`: "", `(`: "", `\d`: "",
	} {
		got, ok := regexGlobs(expression)
		if ok != (want != "") || ok && strings.Join(got, " ") != want {
			t.Errorf("%q: %q %v, want %q", expression, got, ok, want)
		}
	}
}
