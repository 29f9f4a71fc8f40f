package ftp

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"
)

// summary is what the log tells of a transfer beside its name and octets.
type summary struct {
	end     string        // of an upload's data, in words
	done    string        // what was done: "stored", "parked", "discarded", "published", "unknown", "sent"; "" if it failed
	kept    int64         // octets that are parked
	version string        // that the store has given the file
	grace   time.Duration // that was waited before an upload was judged
}

// record logs a transfer that has begun, or has touched what was parked, once. The checksum is that of the octets on the
// data connection, which are those of the file in TYPE I and STRU F.
func (t *transfer) record(ctx context.Context, took time.Duration) {
	if !t.begun && t.summary.kept == 0 {
		return
	}
	attrs := append(make([]slog.Attr, 0, 10), slog.String("user", t.account), slog.String("path", t.path.String()),
		slog.Int64("bytes", t.moved.Load()), slog.String("done", cmp.Or(t.summary.done, "failed")),
		slog.String("crc32c", fmt.Sprintf("%08x", t.crc)), slog.String("took", took.String()))
	if t.summary.end != "" {
		attrs = append(attrs, slog.String("end", t.summary.end), slog.String("grace", t.summary.grace.String()))
	}
	if t.summary.kept > 0 {
		attrs = append(attrs, slog.Int64("kept", t.summary.kept))
	}
	if t.summary.version != "" {
		attrs = append(attrs, slog.String("version", t.summary.version))
	}
	t.log.LogAttrs(ctx, slog.LevelInfo, "transfer", attrs...)
}
