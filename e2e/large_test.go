//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// Files in several parts, both ways, through clients that pace themselves differently.
// 20 MiB is what fake-gcs-server bears.
func TestLargeFiles(t *testing.T) {
	data := content(20<<20 + 12345)
	onEachStore(t, setup{}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		for _, c := range []client{curl{}, lftp{}, ftplib{}} {
			for _, mode := range []mode{{tls: "plain"}, {tls: "explicit"}} {
				t.Run(c.name()+"/"+mode.String(), func(t *testing.T) {
					site, err := newSite(g.address(false, false), mode, user, filepath.Join(t.TempDir(), "home"))
					if err != nil {
						t.Fatal(err)
					}
					up, down := filepath.Join(site.home, "up"), filepath.Join(site.home, "down")
					if err := os.WriteFile(up, data, 0o600); err != nil {
						t.Fatal(err)
					}
					name := c.name() + mode.tls + ".bin"
					if err := c.upload(site, up, "/"+name); err != nil {
						t.Fatal(err)
					}
					b.holds(t, prefix+name, data)
					if err := c.download(site, "/"+name, down); err != nil {
						t.Fatal(err)
					}
					got, err := os.ReadFile(down)
					if err == nil {
						err = same(got, data)
					}
					if err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	})
}

// curl and wget continue a download that was cut off (REST).
func TestResumedDownload(t *testing.T) {
	data := content(3 << 20)
	onEachStore(t, setup{plain4: true}, func(t *testing.T, g *gateway, b *namedBucket, user, prefix string) {
		if err := b.write(t.Context(), prefix+"file.bin", data); err != nil {
			t.Fatal(err)
		}
		site, err := newSite(g.address(false, false), mode{tls: "plain"}, user, filepath.Join(t.TempDir(), "home"))
		if err != nil {
			t.Fatal(err)
		}
		for name, command := range map[string]command{
			"curl": curl{}.args(site, "-C", "-", "-o", "curl.bin", curl{}.url(site, "/file.bin")),
			"wget": wget{}.args(site, "/file.bin", "-c", "-O", "wget.bin"),
		} {
			local := filepath.Join(site.home, name+".bin")
			if err := os.WriteFile(local, data[:1_000_000], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := site.run(command); err != nil {
				t.Error(err)
			}
			got, err := os.ReadFile(local)
			if err == nil {
				err = same(got, data)
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
