package guard

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is a log's end that takes nothing until it is let go.
type stuck struct {
	bytes.Buffer
	reached, release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	close(s.reached)
	<-s.release
	return s.Buffer.Write(p)
}

// TestA3_SlowLogHoldsNobodyUp: a ban that cannot be logged yet keeps no other login waiting.
func TestA3_SlowLogHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &stuck{reached: make(chan struct{}), release: make(chan struct{})}
		l := defaults
		l.BanAfter = 1
		d := newDoor(t, l)
		d.Guard = New(l, slog.New(slog.NewTextHandler(log, nil)))
		go d.login(stranger, "victim", "guess")
		<-log.reached
		if got := d.login(nat, "owner", "right"); got != in {
			t.Errorf("another's login: %s", got)
		}
		close(log.release)
		synctest.Wait()
		if !strings.Contains(log.String(), "address banned") {
			t.Errorf("the log: %s", log.String())
		}
	})
}

// TestA3_Stats count what is refused and who is banned, until the ban is over.
func TestA3_Stats(t *testing.T) {
	l := defaults
	l.BanAfter = 20
	virtual(t, l, func(t *testing.T, d *door) {
		for i := range 25 {
			d.login(stranger, "victim", fmt.Sprint("guess", i))
		}
		d.Admit(stranger)
		looked := len(d.checked)
		if got, want := d.Stats(), (Stats{Throttled: uint64(25 - looked), Bans: 1, Refused: 1, Banned: 1}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		time.Sleep(l.BanTime)
		if got := d.Stats().Banned; got != 0 {
			t.Errorf("%d are banned after the ban", got)
		}
	})
}
