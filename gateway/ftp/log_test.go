package ftp

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

// logRecord is one of the log.
type logRecord map[string]any

// records are all records of a log in JSON with this message.
func records(t *testing.T, log string, message string) []logRecord {
	t.Helper()
	var all []logRecord
	for line := range strings.Lines(log) {
		var r logRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if r["msg"] == message {
			all = append(all, r)
		}
	}
	return all
}

// TestCommandsAreLoggedAsTheyDeserve has a client's mistakes at Info, what the operator can
// mend above it, and says each thing once.
func TestCommandsAreLoggedAsTheyDeserve(t *testing.T) {
	var log lockedBuilder
	config := func(files *fakeFS) Config {
		c := testConfig(files)
		c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		c.Passive = Passive{MinPort: 50000, MaxPort: 50000}
		login := c.Login
		c.Login = func(ctx context.Context, c Credentials) (*Account, error) {
			a, err := login(ctx, c)
			if err == nil {
				a.Name = "account of " + a.Name
			}
			return a, err
		}
		return c
	}
	bubble(t, config, ListenOptions{}, func(t *testing.T, k *talker) {
		k.login()
		k.say("CWD in", "250")
		k.say("MKD /in", "550")
		k.say("MKD denied", "550")
		k.say("SIZE unavailable", "450")
		k.say("MKD quota", "552")
		k.say("MKD secret", "451")
		k.passive()
		k.say("STOR aborted", "150")
		k.say("ABOR", "426", "226")
		other := &talker{t: t, server: k.server, control: record(k.server.connect(t, clientAddr))}
		other.login()
		k.say("EPSV", "229")
		other.say("PASV", "425")
		k.say("QUIT", "221", "EOF")
		other.say("QUIT", "221", "EOF")
	})

	levels := map[string]string{}
	for _, r := range records(t, log.String(), "command") {
		verb, path := r["verb"].(string), r["path"].(string)
		levels[verb+" "+path] = r["level"].(string)
		if user := r["user"]; verb != "USER" && user != "account of u" {
			t.Errorf("%v: user %v", verb, user)
		}
		if took, ok := r["took"].(string); !ok || !strings.HasSuffix(took, "s") {
			t.Errorf("%v: took %v", verb, r["took"])
		}
		switch err, failed := r["err"].(string); {
		case failed != (r["code"].(float64) >= 400):
			t.Errorf("%v: error %v", verb, r["err"])
		case strings.Contains(err, "\n"), strings.Count(err, errAborted.Error()) > 1:
			t.Errorf("%v: error %q", verb, err)
		}
	}
	for command, want := range map[string]string{
		"CWD /in": "INFO", "MKD /in": "INFO", "MKD /in/denied": "INFO", "SIZE /in/unavailable": "WARN",
		"MKD /in/quota": "WARN", "MKD /in/secret": "ERROR", "STOR /in/aborted": "INFO", "PASV /": "WARN",
	} {
		if levels[command] != want {
			t.Errorf("%s is logged at %q, want %s", command, levels[command], want)
		}
	}
	if strings.Contains(log.String(), `"err":null`) {
		t.Error("no error is logged as one")
	}
}
