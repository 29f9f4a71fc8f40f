package ftp

import (
	"crypto/tls"
	"testing"
)

// BenchmarkSmallFile is EPSV and STOR or RETR of 4 KiB over loopback, the client's side of
// it included.
func BenchmarkSmallFile(b *testing.B) {
	content := make([]byte, 4<<10)
	files := &nullFS{content: make([]byte, 1<<20)}
	for _, protected := range []bool{false, true} {
		config := benchConfig(files)
		var client *tls.Config
		name := "clear"
		if protected {
			config.TLS, client, name = testTLS(b), clientTLS(tls.VersionTLS13), "tls"
		}
		b.Run("stor/"+name, func(b *testing.B) {
			_, addr := serveTCP(b, config, ListenOptions{})
			d := drive(b, addr, client)
			b.ReportAllocs()
			for b.Loop() {
				d.stor(content)
			}
		})
		b.Run("retr/"+name, func(b *testing.B) {
			_, addr := serveTCP(b, config, ListenOptions{})
			d := drive(b, addr, client)
			buf := make([]byte, 8<<10)
			b.ReportAllocs()
			for b.Loop() {
				d.retr("4096", buf)
			}
		})
	}
}
