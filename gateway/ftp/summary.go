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
	resumed bool          // it went on with what was there
	name    string        // of the file, if it is not that of the path
	version string        // that the store has given the file
	grace   time.Duration // that was waited before an upload was judged
}

// counts tells whether a transfer has begun, or has touched what was parked.
func (t *transfer) counts() bool { return t.begun || t.summary.kept > 0 }

// record logs a transfer that counts, once. The checksum is that of the octets on the
// data connection, which are those of the file in TYPE I and STRU F.
func (t *transfer) record(ctx context.Context) {
	if !t.counts() {
		return
	}
	attrs := append(make([]slog.Attr, 0, 10), slog.String("user", t.account), slog.String("path", t.path.String()),
		slog.Int64("bytes", t.moved.Load()), slog.String("done", t.done()),
		slog.String("crc32c", fmt.Sprintf("%08x", t.crc)), slog.String("took", t.took.String()))
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

// done tells in one word what was done.
func (t *transfer) done() string { return cmp.Or(t.summary.done, "failed") }

// event is what the observer is told of a transfer that has ended; nil if it does not count.
func (t *transfer) event() *TransferEvent {
	if !t.counts() {
		return nil
	}
	return &TransferEvent{
		ID:      t.id,
		Upload:  t.upload,
		Resumed: t.summary.resumed,
		ASCII:   t.ascii,
		Bytes:   t.moved.Load(),
		CRC32C:  t.crc,
		Done:    t.done(),
		End:     t.summary.end,
		Kept:    t.summary.kept,
		Name:    t.summary.name,
		Version: t.summary.version,
		Took:    t.took,
	}
}
