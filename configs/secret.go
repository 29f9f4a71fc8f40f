package configs

import (
	"fmt"
	"log/slog"
)

// Secret is a string that hides itself from every way of printing or encoding it.
// [Secret.Reveal] is the only way to its text.
type Secret string

const hidden = "[secret]"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// String hides the text.
func (s Secret) String() string { return hidden }

// Format hides the text under every verb; fmt prints a plain Stringer's text under verbs
// that do not fit strings.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText hides the text from JSON, YAML and the rest.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
