package configs

import (
	"errors"
	"testing"
)

// TestQuotaOfTemplate: what a template limits and ends is limited and ended in each of its
// users' places.
func TestQuotaOfTemplate(t *testing.T) {
	cfg := Default()
	cfg.Templates = map[string]Template{"device": {Mounts: []Mount{{
		Path: "/", Store: "disk", Prefix: "in/{user}/",
		Quota:     Quota{Bytes: 10 * GiB, Files: 10_000},
		Retention: Retention{Days: 30, Action: RetentionMove, To: "old/{user}/", DryRun: true},
	}}}}
	u, err := cfg.UserOf("device", "cam1", nil)
	if err != nil {
		t.Fatal(err)
	}
	m := u.Mounts[0]
	if m.Prefix != "in/cam1/" || m.Quota != (Quota{Bytes: 10 << 30, Files: 10_000}) ||
		m.Retention != (Retention{Days: 30, Action: RetentionMove, To: "old/cam1/", DryRun: true}) {
		t.Errorf("%+v", m)
	}
	cfg.Templates["device"].Mounts[0].Retention.To = "{user}/"
	var wrong *ValueError
	if u, err := cfg.UserOf("device", "in", nil); !errors.As(err, &wrong) {
		t.Errorf("%+v, %v: what is moved comes back", u.Mounts, err)
	}
}
