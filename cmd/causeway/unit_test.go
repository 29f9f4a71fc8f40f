package main

import (
	"bufio"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// unitKeys are the keys of systemd that the unit may have, by section: systemd itself only
// warns of a key that it does not know, and the hardening is gone.
func unitKeys() map[string][]string {
	return map[string][]string{
		"[Unit]": {"Description", "Documentation", "Wants", "After"},
		"[Service]": {
			"Type", "ExecStartPre", "ExecStart", "ExecReload", "EnvironmentFile", "Restart", "RestartSec", "KillSignal", "TimeoutStopSec",
			"LimitNOFILE", "User", "Group", "StateDirectory", "LogsDirectory", "WorkingDirectory", "UMask",
			"AmbientCapabilities", "CapabilityBoundingSet", "NoNewPrivileges",
			"ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectClock", "ProtectControlGroups",
			"ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "ProcSubset",
			"RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
			"LockPersonality", "MemoryDenyWriteExecute", "RemoveIPC", "SystemCallArchitectures", "SystemCallFilter", "SystemCallErrorNumber",
		},
		"[Install]": {"WantedBy"},
	}
}

func TestSystemdUnit(t *testing.T) {
	f, err := os.Open("../../configs/causeway.service")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	known, section, starts := unitKeys(), "", 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			section = line
		default:
			key, value, _ := strings.Cut(line, "=")
			if !slices.Contains(known[section], key) {
				t.Errorf("%s has no key %q", section, key)
			}
			if strings.HasPrefix(key, "ExecStart") {
				starts++
				checkCommandLine(t, value)
			}
		}
	}
	if err := lines.Err(); err != nil || starts == 0 {
		t.Errorf("%d command lines, %v", starts, err)
	}
}

// checkCommandLine parses a command line of the unit as the program would.
func checkCommandLine(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	for _, cmd := range commands() {
		if cmd.name != words[1] {
			continue
		}
		flags := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		cmd.prepare(flags)
		if err := flags.Parse(words[2:]); err != nil || flags.NArg() > 0 {
			t.Errorf("%s: %v, left over %q", line, err, flags.Args())
		}
		return
	}
	t.Errorf("%s: no such command", line)
}
