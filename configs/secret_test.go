package configs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestS42_SecretHidesItself(t *testing.T) {
	const canary = "canary-4711"
	cfg := Default()
	cfg.Users = []User{{Name: "cam1", Password: canary}}
	cfg.Stores = map[string]Store{"s3": {SecretKey: canary, AccessKey: canary, AccountKey: canary}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%T"} {
		fmt.Fprintf(&out, verb+"\n", cfg)
		fmt.Fprintf(&out, verb+"\n", *cfg)
		fmt.Fprintf(&out, verb+"\n", Secret(canary))
	}
	fmt.Fprintln(&out, Secret(canary), fmt.Errorf("with %v", Secret(canary)))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "secret", Secret(canary), "config", cfg)
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "secret", Secret(canary), "config", cfg)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q shows in %s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), hidden) || Secret(canary).Reveal() != canary {
		t.Error("the secret itself is gone")
	}
}
