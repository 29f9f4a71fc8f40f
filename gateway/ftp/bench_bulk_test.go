//go:build unix

package ftp

import (
	"crypto/tls"
	"syscall"
	"testing"
	"time"
)

// processorTime is what this process has used of the processor, user and system.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBulk is STOR and RETR of 256 MiB over loopback, the client's side of it included.
// Budget: a call of the system for each 64 KiB or more on the server's side of the data
// connection.
func BenchmarkBulk(b *testing.B) {
	const size = 256 << 20
	files := &nullFS{content: make([]byte, 1<<20)}
	for _, protected := range []bool{false, true} {
		config := benchConfig(files)
		var client *tls.Config
		name := "clear"
		if protected {
			config.TLS, client, name = testTLS(b), clientTLS(tls.VersionTLS13), "tls"
		}
		run := func(b *testing.B, once func(*driver)) {
			counting := &countingNetwork{}
			config.Network = counting
			_, addr := serveTCP(b, config, ListenOptions{})
			d := drive(b, addr, client)
			began := processorTime(b)
			b.SetBytes(size)
			for b.Loop() {
				once(d)
			}
			took := processorTime(b) - began
			gib := float64(b.N) * size / (1 << 30)
			b.ReportMetric(took.Seconds()/gib, "cpu-s/GiB")
			b.ReportMetric(float64(counting.reads.Load()+counting.writes.Load())/gib, "calls/GiB")
		}
		content := make([]byte, 1<<20)
		b.Run("stor/"+name, func(b *testing.B) {
			run(b, func(d *driver) {
				conn := d.open("STOR x\r\n")
				for range size / len(content) {
					if _, err := conn.Write(content); err != nil {
						b.Fatal(err)
					}
				}
				conn.Close()
				d.hear("226")
			})
		})
		buf := make([]byte, 256<<10)
		b.Run("retr/"+name, func(b *testing.B) { run(b, func(d *driver) { d.retr("268435456", buf) }) })
	}
}
