package ftp

import (
	"crypto/tls"
	"fmt"
	"testing"
)

// TestListingWrites wants at most one write for 32 KiB of a listing, under TLS too.
func TestListingWrites(t *testing.T) {
	files := &nullFS{}
	octets := 0
	for i := range 20_000 {
		name := fmt.Sprintf("image-%06d.jpg", i)
		files.entries = append(files.entries, Entry{Name: name})
		octets += len(name) + len("\r\n")
	}
	const beside = 4 // the handshake, its tickets, the close_notify, what is left at the end
	for name, config := range map[string]*tls.Config{"clear": nil, "tls": clientTLS(tls.VersionTLS13)} {
		t.Run(name, func(t *testing.T) {
			counting := &countingNetwork{}
			server := benchConfig(files)
			server.Network = counting
			if config != nil {
				server.TLS = testTLS(t)
			}
			_, addr := serveTCP(t, server, ListenOptions{})
			drive(t, addr, config).fetch("NLST", octets, make([]byte, 64<<10))
			if got, most := counting.writes.Load(), int64(octets/(32<<10)+beside); got > most {
				t.Errorf("%d writes for a listing of %d octets, want %d", got, octets, most)
			}
		})
	}
}
