package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"causeway/backends"
	"causeway/backends/mem"
)

// TestS3_WhatIsLeftOutIsLoggedWithItsSession: the record can be traced to a client, and to
// the transfer in which it came to pass.
func TestS3_WhatIsLeftOutIsLoggedWithItsSession(t *testing.T) {
	t.Parallel()
	store := mem.New(mem.Options{})
	u, err := store.Create(t.Context(), "cams/two//slashes", backends.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Commit(); err != nil {
		t.Fatal(err)
	}
	r := startOn(t, store)
	c := dial(t, r.explicit, nil)
	c.login("cam1", password)
	c.download("MLSD two")
	sessions := map[any]int{}
	for line := range strings.Lines(r.log.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if text, ok := record["msg"].(string); ok && (text == "logged in" || strings.HasPrefix(text, "listing leaves out")) {
			sessions[record["session"]]++
			if record["user"] != "cam1" {
				t.Errorf("no user: %s", line)
			}
			if id, _ := record["transfer"].(string); strings.HasPrefix(text, "listing") && !strings.HasPrefix(id, fmt.Sprint(record["session"], ".")) {
				t.Errorf("no transfer: %s", line)
			}
		}
	}
	for session, records := range sessions {
		if session == nil || records != 2 || len(sessions) != 1 {
			t.Errorf("records by session: %v", sessions)
		}
	}
	if len(sessions) == 0 {
		t.Error("nothing is logged")
	}
}
