package gateway

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/auth"
	"causeway/gateway/audit"
)

// TestS60_RetentionIsWrittenDown: a line for each file that went, by its key, with where it
// is now; none for those that stay, nor for a dry run.
func TestS60_RetentionIsWrittenDown(t *testing.T) {
	for name, c := range map[string]struct {
		rule auth.Retention
		want []string
	}{
		"delete": {auth.Retention{Days: 30}, []string{"in/a -> ", "in/b\nc -> "}},
		"move":   {auth.Retention{Days: 30, To: "old/"}, []string{"in/a -> old/a.20270101T000000Z", "in/b\nc -> old/b\nc"}},
		"dry":    {auth.Retention{Days: 30, DryRun: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "audit.log")
			records, err := audit.Open(file, audit.JSON, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			r, _ := aged([]string{"in/a", "in/b\nc"}, []string{"in/young", "old/a"}, grant("in/", c.rule))
			r.audit = records
			r.round(t.Context(), "s")
			if err := records.Close(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(string(text)) {
				var e struct{ Event, Store, Key, To, Since string }
				if err := json.Unmarshal([]byte(line), &e); err != nil || e.Event != "retention" || e.Store != "s" || e.Since != "2027-01-01T00:00:00.000Z" {
					t.Errorf("%v: %s", err, line)
				}
				got = append(got, e.Key+" -> "+e.To)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
