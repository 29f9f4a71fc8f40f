package gateway

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"causeway/configs"
)

// NewLog makes the log of a configuration, one record per line.
func NewLog(w io.Writer, c configs.Log) *slog.Logger {
	log, _ := NewAdjustableLog(w, c)
	return log
}

// NewAdjustableLog is NewLog with what changes the level from then on, from any goroutine.
func NewAdjustableLog(w io.Writer, c configs.Log) (log *slog.Logger, setLevel func(configs.LogLevel)) {
	level := new(slog.LevelVar)
	setLevel = func(l configs.LogLevel) { level.Set(levelOf(l)) }
	setLevel(c.Level)
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: harmless}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options)), setLevel
	}
	return slog.New(slog.NewJSONHandler(w, options)), setLevel
}

func levelOf(l configs.LogLevel) slog.Level {
	return map[configs.LogLevel]slog.Level{
		"debug": slog.LevelDebug,
		"info":  slog.LevelInfo,
		"warn":  slog.LevelWarn,
		"error": slog.LevelError,
	}[l]
}

// harmless writes what a terminal would obey, or would show in another order, as escapes:
// clients choose names, operators read logs. JSON itself escapes only C0 controls.
func harmless(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(escape(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(escape(v.Error()))
		case fmt.Stringer:
			a.Value = slog.StringValue(escape(v.String()))
		}
	}
	return a
}

// escape writes the runes that do not print as \u and four or more hexadecimal digits.
func escape(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unprintable(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// unprintable are controls, formats such as bidirectional overrides, and line separators.
func unprintable(r rune) bool { return !unicode.IsPrint(r) && r != ' ' }
