package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"causeway/configs"
)

// TestP10_LogsDoNotReachTheTerminal: what a client may choose cannot move the cursor, turn
// text around or begin a line.
func TestP10_LogsDoNotReachTheTerminal(t *testing.T) {
	const name = "a\x1b[2J\u0085\u009b\u202eb\u2028c\nlevel=ERROR d ü"
	for _, format := range []configs.LogFormat{"json", "text"} {
		var out bytes.Buffer
		log := NewLog(&out, configs.Log{Format: format, Level: "info"})
		log.With("user", name).Info("login", "path", name, "err", errors.New(name), "group", name)
		if n := strings.Count(out.String(), "\n"); n != 1 {
			t.Errorf("%s: %d lines", format, n)
		}
		if i := strings.IndexFunc(strings.TrimSuffix(out.String(), "\n"), unprintable); i >= 0 {
			t.Errorf("%s: %q", format, out.String()[i:])
		}
		if !strings.Contains(out.String(), "ü") {
			t.Errorf("%s: letters are gone: %s", format, &out)
		}
		var record map[string]any
		if err := json.Unmarshal(out.Bytes(), &record); format == "json" && err != nil {
			t.Error(err)
		}
	}
}

func TestLogLevel(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out, configs.Log{Format: "json", Level: "warn"})
	log.Info("quiet")
	log.Warn("loud")
	if strings.Contains(out.String(), "quiet") || !strings.Contains(out.String(), "loud") {
		t.Errorf("got %s", &out)
	}
}
