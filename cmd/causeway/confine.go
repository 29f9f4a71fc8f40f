package main

import (
	"log/slog"

	"causeway/configs"
	"causeway/gateway"
)

// confines tells whether this process is to be confined.
func (c console) confines(cfg *configs.Config) bool {
	return c.alone && cfg.Sandbox == configs.SandboxOn
}

// prepare is called before a gateway is made, and confine when it has bound its addresses.
func (c console) prepare(cfg *configs.Config, log *slog.Logger) {
	if c.confines(cfg) {
		gateway.KeepResolving(log)
	}
}

func (c console) confine(cfg *configs.Config, log *slog.Logger) {
	switch {
	case c.confines(cfg):
		gateway.Confine(cfg, profileFolders(), log)
	case c.alone:
		log.Warn("sandbox is off, as the configuration has it")
	}
}
