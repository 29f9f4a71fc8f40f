package configs

import (
	"fmt"
	"testing"
	"time"
)

func TestGuardIsOnUnlessTurnedOff(t *testing.T) {
	for text, want := range map[string]Guard{
		"":                       {10, 60, 100, time.Hour, nil},
		"guard: {ban_time: 24h}": {10, 60, 100, 24 * time.Hour, nil},
		"guard: {ban_after: 0, ban_time: 0s, address_guesses_per_minute: 0, account_guesses_per_hour: 0}": {},
	} {
		cfg, err := parse("x.yaml", []byte(least+text), bare)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := fmt.Sprint(cfg.Guard); got != fmt.Sprint(want) {
			t.Errorf("%s: %s", text, got)
		}
	}
	if _, err := parse("x.yaml", []byte(least+"guard: {ban_time: 721h}"), bare); err == nil {
		t.Error("a ban of 721 hours")
	}
}
