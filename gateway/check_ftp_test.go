package gateway

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/backends/ftp/ftptest"
	"causeway/configs"
)

// changes are the commands by which an FTP server's files are changed.
var changes = []string{"STOR", "APPE", "MKD", "RMD", "DELE", "RNFR", "RNTO", "MFMT"}

// checkServer checks a configuration whose only store is the server, mounted with rights.
func checkServer(t *testing.T, store configs.Store, rights ...configs.Right) (string, error) {
	t.Helper()
	cfg := configs.Default()
	cfg.Listeners = []configs.Listener{{Address: "127.0.0.1:0"}}
	cfg.Stores = map[string]configs.Store{"old": store}
	cfg.Users = []configs.User{{Name: "u", Password: hash, Mounts: []configs.Mount{{Path: "/", Store: "old", Prefix: "home/", Rights: rights}}}}
	var out bytes.Buffer
	err := Check(t.Context(), cfg, &out)
	return out.String(), err
}

func storeOf(s *ftptest.Server) configs.Store {
	return configs.Store{Kind: configs.FTP, URL: "ftp://" + s.Address, User: ftptest.User, Password: ftptest.Password}
}

// TestCheckWritesNothingToAServerThatIsOnlyRead, and reads a file of it.
func TestCheckWritesNothingToAServerThatIsOnlyRead(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{})
	s.Put("/home/sub/", "", time.Time{})
	s.Put("/home/z", "content", time.Now())
	out, err := checkServer(t, storeOf(s), configs.List, configs.Read)
	if want := "old           list    ok\nold           get     ok\n"; out != want || err != nil {
		t.Errorf("%v, printed\n%s", err, out)
	}
	read := false
	for _, command := range s.Commands() {
		verb, _, _ := strings.Cut(command, " ")
		read = read || command == "RETR /home/z"
		for _, change := range changes {
			if verb == change {
				t.Errorf("sent %s", command)
			}
		}
	}
	if !read {
		t.Errorf("no file was read: %q", s.Commands())
	}
}

// TestCheckTriesToWriteWhereAMountDoes, and leaves nothing.
func TestCheckTriesToWriteWhereAMountDoes(t *testing.T) {
	s := ftptest.Start(t, ftptest.Options{})
	s.Put("/home/", "", time.Time{})
	out, err := checkServer(t, storeOf(s), configs.Write, configs.Delete)
	if want := "old           put     ok\nold           delete  ok\n"; out != want || err != nil {
		t.Errorf("%v, printed\n%s", err, out)
	}
	if at := s.ModTime("/home/.causeway"); !at.IsZero() {
		t.Error("its directory was left behind")
	}
}

// TestCheckSaysWhatIsWrongWithAServer in words that lead to the remedy.
func TestCheckSaysWhatIsWrongWithAServer(t *testing.T) {
	certificate, leaf := ftptest.Certificate(t)
	clear, secured := ftptest.Start(t, ftptest.Options{}), ftptest.Start(t, ftptest.Options{TLS: certificate})
	secured.Put("/home/", "", time.Time{})
	fingerprint := fmt.Sprintf("%x", sha256.Sum256(leaf.Raw))
	with := func(s *ftptest.Server, change func(*configs.Store)) configs.Store {
		store := storeOf(s)
		change(&store)
		return store
	}
	for name, c := range map[string]struct {
		store configs.Store
		says  string // "" is that all is well
	}{
		"password":    {with(clear, func(c *configs.Store) { c.Password = "canary-wrong" }), "PASS: 530"},
		"directory":   {with(clear, func(c *configs.Store) { c.URL += "/none" }), "the directory that is the store is not there"},
		"nobody":      {with(clear, func(c *configs.Store) { c.URL = "ftp://127.0.0.1:1" }), "connection refused"},
		"no TLS":      {with(clear, func(c *configs.Store) { c.URL = "ftps://" + clear.Address }), "AUTH TLS: 50"},
		"certificate": {with(secured, func(c *configs.Store) { c.URL = "ftps://" + secured.Address }), "SHA-256 is " + fingerprint},
		"pinned": {with(secured, func(c *configs.Store) {
			c.URL, c.CertificateSHA256 = "ftps://"+secured.Address, fingerprint
		}), ""},
	} {
		cfg := c.store
		out, err := checkServer(t, cfg, configs.List, configs.Read)
		if errors.Is(err, ErrDenied) != (c.says != "") || !strings.Contains(out, c.says) || strings.Contains(out, "canary") {
			t.Errorf("%s: %v, printed\n%s", name, err, out)
		}
	}
}
