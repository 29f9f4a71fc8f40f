package configs

import "testing"

// TestS11_JudgementOfAMount: a mount's own words go before the user's, and those before
// the defaults.
func TestS11_JudgementOfAMount(t *testing.T) {
	user := User{Device: Device{Incomplete: Discard, ALLO: EnforceALLO}}
	for _, c := range []struct {
		user  User
		mount Mount
		want  Judgement
	}{
		{want: Judgement{Park, CloseNotifyAuto, IgnoreALLO}},
		{user: user, want: Judgement{Discard, CloseNotifyAuto, EnforceALLO}},
		{user: user, mount: Mount{Incomplete: Park, ALLO: IgnoreALLO}, want: Judgement{Park, CloseNotifyAuto, IgnoreALLO}},
		{user: user, mount: Mount{Incomplete: Publish, CloseNotify: CloseNotifyRequired}, want: Judgement{Publish, CloseNotifyRequired, EnforceALLO}},
	} {
		if got := c.user.Judgement(c.mount); got != c.want {
			t.Errorf("%+v, %+v: %+v, want %+v", c.user, c.mount, got, c.want)
		}
	}
}
