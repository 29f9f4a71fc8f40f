package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// The user of every gateway. The hash is MD5-crypt: the cheapest there is, since only the
// cases of logins are about it.
const (
	user      = "bench"
	password  = "bench"
	cheapHash = "$1$bench$IDaFocGqo.f39hZ5dc3P7."
)

// GatewayOptions is what a case varies in a configuration. All else is as by default, but
// for the number of sessions per address, and TLS, which every gateway offers.
type GatewayOptions struct {
	Hash   string // of the password; cheapHash by default
	Limits string // further limits of YAML's flow style, each after a comma: ", buffers: 32MiB"
	Extra  string // further top-level sections, as they stand
	Rights string // of the mount, all by default
	Users  string // further users, as they stand
}

// Gateway is a running gateway with the store at "/".
type Gateway struct {
	*Process
	Address string // of its listener
}

// startTime is how long a process may take until it listens.
const startTime = time.Minute

// Gateway starts the built gateway.
func (e *Env) Gateway(ctx context.Context, s *Store, o GatewayOptions) (*Gateway, error) {
	config, err := os.CreateTemp(e.Dir, "gateway-*.yaml")
	if err != nil {
		return nil, err
	}
	_, err = config.WriteString(o.yaml(s))
	if err := errors.Join(err, config.Close()); err != nil {
		return nil, err
	}
	p, err := e.spawnWith("gateway", []string{"CAUSEWAY_PPROF=" + e.Profile}, e.binary, "serve", "-c", config.Name())
	if err != nil {
		return nil, err
	}
	g := &Gateway{Process: p}
	g.Address, err = p.listening(ctx)
	return g, err
}

// loopback is an address that probably no other gateway has: on one where ten thousands of
// connections have just ended the system looks for milliseconds for a port that is free.
// Clients are on 127.0.0.0/16.
func loopback() string {
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
}

func (o GatewayOptions) yaml(s *Store) string {
	if o.Hash == "" {
		o.Hash = cheapHash
	}
	if o.Rights == "" {
		o.Rights = "list, read, write, overwrite, delete, rename, mkdir"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "listeners: [{address: \"%s:0\"}]\ntls: {self_signed: true}\n", loopback())
	fmt.Fprintf(&b, "stores: {s3: {kind: s3, bucket: %s, region: us-east-1, endpoint: %q, path_style: true, access_key: %q, secret_key: %q}}\n",
		s.Bucket, s.URL, s.key, s.secret)
	fmt.Fprintf(&b, "users:\n  - {name: %s, password: %q, mounts: [{path: /, store: s3, rights: [%s]}]}\n", user, o.Hash, o.Rights)
	b.WriteString(o.Users)
	fmt.Fprintf(&b, "limits: {sessions: 20000, sessions_per_address: 20000%s}\n", o.Limits)
	b.WriteString(o.Extra)
	return b.String()
}

// listening waits until the gateway logs its address.
func (p *Process) listening(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(p.Log)
		if err != nil {
			return "", err
		}
		for line := range bytes.Lines(b) {
			var record struct{ Msg, Address string }
			if json.Unmarshal(line, &record) == nil && record.Msg == "listening" {
				return record.Address, nil
			}
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return "", fmt.Errorf("%s has ended: %s", p.Name, p.tail())
		case <-ctx.Done():
			return "", fmt.Errorf("%s does not listen: %s", p.Name, p.tail())
		}
	}
}
