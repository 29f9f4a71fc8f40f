//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"testing"
)

// outcome is what a finished run of the binary said.
type outcome struct {
	code           int
	stdout, stderr string
}

// causeway runs a subcommand that ends by itself.
func causeway(t testing.TB, stdin string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, shared.binary, args...)
	cmd.Dir = t.TempDir()
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("causeway %q does not end: %v\n%s%s", args, err, stdout.String(), stderr.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// says fails unless everything is in the run's output.
func (o outcome) says(t testing.TB, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("does not say %q:\n%s%s", text, o.stdout, o.stderr)
		}
	}
}
