package gateway

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestS11_LossesOfALink(t *testing.T) {
	for name, c := range map[string]struct {
		info unix.TCPInfo
		want bool
	}{
		"none":                                   {unix.TCPInfo{}, false},
		"one that may be on its way still":       {unix.TCPInfo{Lost: 1}, true},
		"one that was sent again":                {unix.TCPInfo{Total_retrans: 1}, true},
		"one that the peer had got already":      {unix.TCPInfo{Total_retrans: 1, Dsack_dups: 1}, false},
		"one of two":                             {unix.TCPInfo{Total_retrans: 2, Dsack_dups: 1}, true},
		"after a time-out, got already":          {unix.TCPInfo{Total_retrans: 1, Dsack_dups: 1, Backoff: 1}, true},
		"of the peer's, which came after others": {unix.TCPInfo{Rcv_ooopack: 1}, true},
	} {
		if got := lossy(&c.info); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
