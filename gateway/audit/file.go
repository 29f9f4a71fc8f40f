package audit

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// maxBatch is how many octets of lines are written at once.
const maxBatch = 64 << 10

// file is an audit file, and which one it was when it was opened.
type file struct {
	*os.File
	path string
	info os.FileInfo
	torn bool // its last line has no end
}

func openFile(path string) (*file, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close() // nothing was written; the first error is the one to tell
		return nil, err
	}
	return &file{File: f, path: path, info: info}, nil
}

func checkParent(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	return err
}

// moved tells whether path names another file by now, or none: logrotate renames the old
// one. Looking before each write costs less than the write, and needs no signal.
func (f *file) moved() bool {
	now, err := os.Stat(f.path)
	return err != nil || !os.SameFile(now, f.info)
}

// run writes the lines that come, and what waits at the end.
func (l *Log) run() {
	defer close(l.ended)
	for {
		select {
		case line := <-l.queue:
			l.write(l.gather(line))
		case <-l.closing:
			l.drain()
			return
		}
	}
}

// drain writes what waits.
func (l *Log) drain() {
	for {
		select {
		case line := <-l.queue:
			l.write(l.gather(line))
		default:
			return
		}
	}
}

// gather puts a line and those that wait behind it together.
func (l *Log) gather(line []byte) (batch []byte, lines int) {
	l.batch, lines = append(l.batch[:0], line...), 1
	for len(l.batch) < maxBatch {
		select {
		case line := <-l.queue:
			l.batch = append(l.batch, line...)
			lines++
		default:
			return l.batch, lines
		}
	}
	return l.batch, lines
}

// write appends lines to the file that is there now. A line that an error has cut off gets
// an end before the next one.
func (l *Log) write(batch []byte, lines int) {
	l.follow()
	if l.file.torn {
		if _, err := l.file.WriteString("\n"); err != nil {
			l.lose(lines, err)
			return
		}
		l.file.torn = false
	}
	n, err := l.file.Write(batch)
	if err != nil {
		l.file.torn = n > 0 && batch[n-1] != '\n'
		l.lose(lines-bytes.Count(batch[:n], []byte("\n")), err)
	}
}

// follow opens the file anew if it is another one by now. Where that fails the old one takes
// the lines: they are there to be found.
func (l *Log) follow() {
	if !l.file.moved() {
		return
	}
	next, err := openFile(l.file.path)
	if err == nil {
		err = l.file.Close()
		l.file = next
	}
	if err != nil && time.Since(l.warned) >= quiet {
		l.warned = time.Now()
		l.log.Error("audit file was moved, and cannot be opened anew", slog.Any("err", err))
	}
}
