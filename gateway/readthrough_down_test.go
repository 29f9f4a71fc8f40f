package gateway

import (
	"testing"

	"causeway/configs"
)

// TestS65_EveryCommandWhileTheOldServerIsDown: what is here is as ever, unless a name must be free;
// what may be there hears 450, and nothing has happened to it.
func TestS65_EveryCommandWhileTheOldServerIsDown(t *testing.T) {
	t.Parallel()
	old := map[string]string{"there": "old", "dir/x": "old"}
	eachReadThrough(t, configs.Behind{Copy: configs.BehindOnRead}, old, func(t *testing.T, r *readThrough) {
		c := r.session(t)
		for _, name := range []string{"a", "b", "d/x"} {
			c.upload(name, "12")
		}
		r.down()
		c.upload("new", "12")
		c.upload("a", "34")
		c.send("APPE a", "5")
		c.do(350, "REST 1")
		c.send("STOR b", "6")
		for _, command := range []string{"STOU", "APPE there", "APPE newer", "RETR there", "RETR nowhere"} {
			c.refused(450, command)
		}
		for _, command := range []string{"LIST", "MLSD", "NLST"} {
			c.refused(451, command)
		}
		c.do(350, "RNFR b")
		c.do(250, "RNTO c")
		for _, command := range []string{"SIZE there", "RNFR there", "RNFR d", "DELE there", "DELE nowhere", "RMD d", "RMD dir", "MKD m", "MKD dir"} {
			c.do(450, command)
		}
		if got := c.download("RETR a") + c.download("RETR c") + c.download("RETR new"); got != "3451612" {
			t.Errorf("here are %s", got)
		}
		c.do(250, "DELE a")
		r.old.Clear()
		if got, want := c.list("NLST")+"|"+c.list("NLST dir"), "c d dir new public there|dir/x"; got != want {
			t.Errorf("listed are %s, not %s", got, want)
		}
	})
}

// TestS65_NamesThatMustBeFreeWhileTheOldServerIsDown may be there, so nothing takes them.
func TestS65_NamesThatMustBeFreeWhileTheOldServerIsDown(t *testing.T) {
	t.Parallel()
	eachReadThrough(t, configs.Behind{}, map[string]string{"there": "old"}, func(t *testing.T, r *readThrough) {
		next := *r.cfg
		next.Users = append([]configs.User{}, next.Users...)
		next.Users[0].Mounts = append([]configs.Mount{}, next.Users[0].Mounts...)
		next.Users[0].Mounts[0].Overwrite = configs.Refuse
		if err := r.Reload(t.Context(), &next); err != nil {
			t.Fatal(err)
		}
		c := r.session(t)
		c.upload("here", "1")
		r.down()
		c.refused(450, "STOR there")
		c.refused(450, "STOR new")
		c.do(350, "RNFR here")
		c.do(450, "RNTO there")
		r.old.Clear()
		if got := c.list("NLST"); got != "here public there" {
			t.Errorf("listed are %s", got)
		}
	})
}
