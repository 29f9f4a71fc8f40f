//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

const storedUsersKey = reserved + "users.yaml"

// TestUsersFileInAStore: many edit a users file in a bucket and lose no edit, and gateways
// that share it take them over while they run. They edit it at once where the store keeps
// its word on conditions; versitygw looks at what is there first and replaces it after.
func TestUsersFileInAStore(t *testing.T) {
	t.Parallel()
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		bucket, err := newS3Bucket(t.Context(), shared.servers.S3)
		if err != nil {
			t.Fatal(err)
		}
		usersFileIn(t, bucket, 1)
	})
	t.Run("localdir", func(t *testing.T) {
		t.Parallel()
		bucket, err := newLocalBucket(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		usersFileIn(t, bucket, adders)
	})
}

// usersFileIn has so many edit it at a time.
func usersFileIn(t *testing.T, bucket *namedBucket, atOnce int) {
	t.Helper()
	if err := bucket.write(t.Context(), storedUsersKey, []byte("# of all gateways\nusers: []\n")); err != nil {
		t.Fatal(err)
	}
	// Without the exemption a password that was tried too early is wrong for a minute more.
	s := setup{
		accounts: []account{{name: user, store: bucket, prefix: "own/"}},
		plain4:   true,
		extra:    doorTemplates + "accounts: [{store: store0, key: " + storedUsersKey + "}]\nguard: {exempt: [127.0.0.0/8]}\n",
	}
	gateways := []*gateway{start(t, s), start(t, s)}
	for _, g := range gateways {
		if code := tryLogin(t, g, "partner0"); code != "530" {
			t.Errorf("nobody yet, but %s", code)
		}
	}
	config := s.config(t)
	addAccounts(t, config, atOnce)
	text, err := bucket.read(t.Context(), storedUsersKey)
	if err != nil {
		t.Fatal(err)
	}
	for i := range adders {
		if n := strings.Count(string(text), fmt.Sprintf("name: partner%d,", i)); n != 1 {
			t.Errorf("partner%d is there %d times:\n%s", i, n, text)
		}
	}
	var sessions []*session
	for n, g := range gateways {
		for i := range adders {
			awaitLogin(t, g, fmt.Sprintf("partner%d", i), "230")
		}
		c := connect(t, g.address(false, false))
		c.login("partner0")
		name := fmt.Sprintf("from-%d", n)
		c.store("STOR "+name, []byte("before"))
		bucket.holds(t, "partners/partner0/"+name, []byte("before"))
		sessions = append(sessions, c)
	}
	removed := causeway(t, "", "user", "remove", "-c", config, "partner0")
	if removed.code != 0 {
		t.Fatalf("%+v", removed)
	}
	for i, g := range gateways {
		awaitEnd(t, sessions[i])
		awaitLogin(t, g, "partner0", "530")
		awaitLogin(t, g, "partner1", "230")
	}
}

// adders is how many add an account each.
const adders = 6

func addAccounts(t *testing.T, config string, atOnce int) {
	t.Helper()
	var adding errgroup.Group
	adding.SetLimit(atOnce)
	for i := range adders {
		adding.Go(func() error {
			name := fmt.Sprintf("partner%d", i)
			if o := causeway(t, password+"\n", "user", "add", "-c", config, "--template", "partner", name); o.code != 0 {
				return fmt.Errorf("%s: %+v", name, o)
			}
			return nil
		})
	}
	if err := adding.Wait(); err != nil {
		t.Fatal(err)
	}
}

// tryLogin returns the reply to the shared password.
func tryLogin(t *testing.T, g *gateway, name string) string {
	t.Helper()
	s := connect(t, g.address(false, false))
	defer s.conn.Close()
	s.do("USER "+name, "331")
	return s.do("PASS "+password, "230", "530").code
}

// awaitLogin waits until a gateway answers the shared password with a code.
func awaitLogin(t *testing.T, g *gateway, name, code string) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		if got := tryLogin(t, g, name); got != code {
			return fmt.Errorf("%s: %s, want %s", name, got, code)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// awaitEnd waits until a session is ended at one of its commands.
func awaitEnd(t *testing.T, s *session) {
	t.Helper()
	err := poll(t.Context(), patience, func() error {
		if r := s.do("NOOP", "200", "421"); r.code != "421" {
			return fmt.Errorf("the session of a removed account goes on: %s", r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
