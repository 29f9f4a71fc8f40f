package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// cipherSeconds is the CPU time that OpenSSL takes to encrypt so many octets by the cipher
// of a TLS 1.3 suite, in records of 16 KiB.
func cipherSeconds(ctx context.Context, suite string, octets int64) (float64, error) {
	name, ok := map[string]string{
		"TLS_AES_128_GCM_SHA256":       "aes-128-gcm",
		"TLS_AES_256_GCM_SHA384":       "aes-256-gcm",
		"TLS_CHACHA20_POLY1305_SHA256": "chacha20-poly1305",
	}[suite]
	if !ok {
		return 0, fmt.Errorf("no speed of cipher suite %q is known", suite)
	}
	out, err := exec.CommandContext(ctx, "openssl", "speed", "-mr", "-evp", name, "-bytes", "16384", "-seconds", "1").Output()
	if err != nil {
		return 0, fmt.Errorf("openssl speed: %w", err)
	}
	perSecond, err := speedOf(string(out))
	if err != nil {
		return 0, err
	}
	return float64(octets) / perSecond, nil
}

// speedOf reads the octets per second of user time from what "openssl speed -mr" prints:
// "+F:25:AES-128-GCM:7164579840.00".
func speedOf(output string) (float64, error) {
	for line := range strings.Lines(output) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) == 4 && fields[0] == "+F" {
			v, err := strconv.ParseFloat(fields[3], 64)
			if err == nil && v <= 0 {
				err = strconv.ErrRange
			}
			return v, err
		}
	}
	return 0, fmt.Errorf("openssl speed prints no figure: %q", output)
}
