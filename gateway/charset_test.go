package gateway

import (
	"errors"
	"strings"
	"testing"

	"causeway/configs"
)

func TestCharsets(t *testing.T) {
	for _, name := range []string{"latin1", "gbk", "Shift_JIS", "", "utf-8"} {
		if !carriesCommands(name) {
			t.Errorf("%q is refused", name)
		}
	}
	if charsetOf("") != nil || charsetOf("utf-8") != nil {
		t.Error("UTF-8 needs no charset")
	}
	for _, c := range []struct{ charset, octets, name string }{
		{"latin1", "/caf\xe9", "/café"},
		{"gbk", "\xd6\xd0\xce\xc4.txt", "中文.txt"},
		{"Shift_JIS", "\x95\x5c", "表"}, // the second octet is a backslash in ASCII
	} {
		if got, err := charsetOf(c.charset).Decode([]byte(c.octets)); err != nil || got != c.name {
			t.Errorf("%s: %q, %v", c.charset, got, err)
		}
		if got, err := charsetOf(c.charset).Encode(c.name); err != nil || string(got) != c.octets {
			t.Errorf("%s: %q, %v", c.charset, got, err)
		}
	}
	if got, err := charsetOf("gbk").Decode([]byte("\xff\xff")); !errors.Is(err, errCharset) {
		t.Errorf("octets of no character: %q, %v", got, err)
	}
	if got, err := charsetOf("latin1").Encode("中"); err == nil {
		t.Errorf("a character of no octets: %q", got)
	}
}

func TestS52_CharsetsThatCannotCarryCommands(t *testing.T) {
	for _, name := range []string{"utf-16le", "utf-16be", "iso-2022-jp", "replacement", "klingon"} {
		cfg := configs.Default()
		cfg.Users = []configs.User{{}, {Device: configs.Device{Charset: name}}}
		err := judgeUsers(cfg, cfg.Users)
		var p *configs.Problem
		if !errors.As(err, &p) || p.Field != "users[1].charset" || !strings.Contains(p.Wrong, name) {
			t.Errorf("%s: %v", name, err)
		}
		cfg.Profiles = map[string]configs.Device{"own": {Charset: name}}
		if err := judgeCharsets(cfg); !errors.As(err, &p) || p.Field != "profiles.own.charset" {
			t.Errorf("%s: %v", name, err)
		}
		cfg.Profiles, cfg.Templates = configs.ReadyProfiles(), map[string]configs.Template{"own": {Device: configs.Device{Charset: name}}}
		if err := judgeCharsets(cfg); !errors.As(err, &p) || p.Field != "templates.own.charset" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
