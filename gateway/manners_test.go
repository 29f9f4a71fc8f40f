package gateway

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/configs"
	"causeway/gateway/ftp"
)

// withDevices starts a gateway with an account for each of the devices, by name.
func withDevices(t *testing.T, minVersion configs.TLSVersion, devices map[string]configs.Device) *running {
	t.Helper()
	return start(t, func(cfg *configs.Config) {
		cfg.TLS.MinVersion = minVersion
		for name, d := range devices {
			cfg.Users = append(cfg.Users, configs.User{Name: name, Password: hash, Device: d, Mounts: cfg.Users[0].Mounts})
		}
	})
}

// TestT7_S42_AccountsThatAreNotForTheConnection: to a client that comes in clear, or with
// TLS that the account does not allow, the right password sounds like a wrong one.
func TestT7_S42_AccountsThatAreNotForTheConnection(t *testing.T) {
	t.Parallel()
	r := withDevices(t, "1.0", map[string]configs.Device{
		"private": {TLS: configs.RequiredTLS},
		"new":     {TLS: configs.RequiredTLS, MinTLS: "1.3"},
		"modern":  {Ciphers: configs.ModernCiphers},
		"any":     {},
	})
	old, cbc := clientTLS(), clientTLS()
	old.MaxVersion, cbc.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	cbc.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	answers := map[string]bool{}
	refused := 0
	for _, c := range []struct {
		user string
		tls  *tls.Config
		in   bool
	}{
		{"private", nil, false}, {"private", cbc, true},
		{"new", old, false}, {"new", clientTLS(), true},
		{"modern", nil, true}, {"modern", cbc, false}, {"modern", old, true},
		{"any", nil, true}, {"any", cbc, true},
	} {
		client := dial(t, r.explicit, nil)
		if c.tls != nil {
			client.upgrade(c.tls)
		}
		if c.in {
			client.login(c.user, password)
			continue
		}
		refused++
		client.do(331, "USER "+c.user)
		answers[client.do(530, "PASS "+password)] = true
		client.do(530, "PWD")
	}
	wrong := dial(t, r.explicit, nil)
	wrong.do(331, "USER any")
	if answers[wrong.do(530, "PASS wrong canary")] = true; len(answers) != 1 {
		t.Errorf("the answers differ: %v", answers)
	}
	if n := strings.Count(r.log.String(), errWeak.Error()); n != refused {
		t.Errorf("the log has the reason %d times, of %d", n, refused)
	}
}

// TestA3_RightPasswordsInClearAreFailures: they count, and are answered as late.
func TestA3_RightPasswordsInClearAreFailures(t *testing.T) {
	t.Parallel()
	r := start(t, func(cfg *configs.Config) {
		cfg.Users[0].TLS = configs.RequiredTLS
		cfg.Guard = configs.Guard{BanAfter: 2, BanTime: configs.Default().Guard.BanTime}
	})
	for _, guess := range []string{password, "wrong"} {
		if err := r.try(faraway, "cam1", guess); err == nil {
			t.Error("in, in clear")
		}
	}
	if r.guard.Admit(faraway) {
		t.Error("who guesses in clear is not banned")
	}
}

func TestMannersOfAccounts(t *testing.T) {
	t.Parallel()
	r := withDevices(t, "1.2", map[string]configs.Device{
		"ftpexe":  configs.ReadyProfiles()["windows-ftp"],
		"camera":  configs.ReadyProfiles()["old-camera"],
		"passive": {Active: configs.PassiveOnly},
		"scanner": configs.ReadyProfiles()["scanner"],
	})
	c := dial(t, r.explicit, nil)
	c.login("ftpexe", password)
	if got := c.do(215, "SYST"); got != "Windows_NT" {
		t.Errorf("SYST: %q", got)
	}
	c.do(257, "MKD caf\xe9")
	if got := c.download("LIST /"); !strings.Contains(got, "       <DIR>          caf\xe9\r\n") {
		t.Errorf("LIST: %q", got)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "cams/café")); err != nil {
		t.Error(err)
	}
	c.do(504, "SITE LRECL=80")
	c = dial(t, r.explicit, nil)
	c.login("camera", password)
	c.do(200, "SITE LRECL=80")
	c.do(200, "PORT 127,0,0,1,200,1")
	c = dial(t, r.explicit, nil)
	c.login("passive", password)
	c.do(504, "PORT 127,0,0,1,200,1")
	c = dial(t, r.explicit, nil)
	c.login("scanner", password)
	c.upload("/scans/scan1.pdf", "first")
	c.upload("/scans/scan1.pdf", "second")
	if kept, err := filepath.Glob(filepath.Join(r.dir, "cams/scans/scan1*.pdf")); err != nil || len(kept) != 2 {
		t.Errorf("kept: %v, %v", kept, err)
	}
}

// TestManners: each word of the configuration, and each default.
func TestManners(t *testing.T) {
	for _, c := range []struct {
		device configs.Device
		want   ftp.Manners
	}{
		{configs.Device{}, ftp.Manners{}},
		{configs.Device{TLS: configs.AllowedTLS, Ciphers: configs.AnyCiphers, Active: configs.ActiveAllowed, Listing: configs.UnixListing, UnknownSite: configs.RefuseUnknown}, ftp.Manners{}},
		{
			configs.Device{TLS: configs.RequiredTLS, MinTLS: "1.1", Ciphers: configs.ModernCiphers, Active: configs.PassiveOnly, Listing: configs.DOSListing, UnknownSite: configs.AcceptUnknown},
			ftp.Manners{Least: ftp.Protection{Required: true, MinVersion: tls.VersionTLS11, Modern: true}, PassiveOnly: true, DOSListing: true, AnySite: true},
		},
	} {
		if got := mannersOf(deviceOf(c.device)); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.device, got, c.want)
		}
	}
}
