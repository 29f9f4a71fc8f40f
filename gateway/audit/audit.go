// Package audit writes down who has logged in and what was done to which file, one line
// each, in a file that is only ever appended to: as JSON, or in wu-ftpd's xferlog format,
// which old scripts read. It is not the log of the program, and decides nothing.
//
// No line is lost in silence. Lines wait in a queue for the disk; where that is full, so
// do the sessions, for a while. What cannot be written is counted, and the program's log
// tells of it. What a client has chosen cannot begin a line, nor end one.
//
// Its central type is [Log].
package audit

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"causeway/gateway/ftp"
)

const (
	// maxQueued is how many lines may wait: what a busy gateway does in a second.
	maxQueued = 1024
	// patience is how long a session waits for room in the queue.
	patience = 10 * time.Second
	// quiet is how long the log says nothing more of lines that are lost.
	quiet = time.Minute
	// lastLines is how long Close waits for the disk.
	lastLines = 5 * time.Second
)

// Format is how a line is written.
type Format string

// The formats.
const (
	JSON    Format = "json"
	Xferlog Format = "xferlog"
)

// encoder makes lines; none, nil, of what the format has no line for.
type encoder interface {
	login(e ftp.LoginEvent, result string) []byte
	command(e ftp.CommandEvent) []byte
	expired(e Expired) []byte
}

// Expired is a file that the gateway itself has ended, because it was old. No session and no
// path is of it: it is known by its store and key.
type Expired struct {
	Time  time.Time
	Store string // as the configuration calls it
	Key   string
	To    string // the key that it was moved to; "" if it was deleted
	Bytes int64
	Since time.Time // when it was written
}

// Log is an audit file that is open. Its methods may be called from any goroutine.
type Log struct {
	encoder encoder
	file    *file // of the writing goroutine alone
	log     *slog.Logger
	queue   chan []byte
	batch   []byte        // of the writing goroutine, as the next
	warned  time.Time     // when the log was told that the file cannot be opened anew
	closing chan struct{} // closed when no more lines come
	ended   chan struct{} // closed when the goroutine has

	mu     sync.Mutex
	adding sync.WaitGroup // lines that were taken, and are on their way into the queue
	closed bool           // no more are taken
	lost   uint64
	told   uint64    // of the lost, by the log
	at     time.Time // when it was told
}

// Open opens the file at path, or makes it, for its owner alone. Errors of the file later
// on go to log. Close must follow.
func Open(path string, f Format, log *slog.Logger) (*Log, error) {
	opened, err := openFile(path)
	if err != nil {
		return nil, err
	}
	l := &Log{
		encoder: jsonLines{},
		file:    opened,
		log:     log.With(slog.String("file", path)),
		queue:   make(chan []byte, maxQueued),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	if f == Xferlog {
		l.encoder = xferLines{}
	}
	go l.run()
	return l, nil
}

// Login writes a login down. result is its class, in a word.
func (l *Log) Login(e ftp.LoginEvent, result string) { l.add(l.encoder.login(e, result)) }

// Command writes down what a command has done to files, if it was to do anything.
func (l *Log) Command(e ftp.CommandEvent) {
	if operates(e) {
		l.add(l.encoder.command(e))
	}
}

// Expired writes down that the gateway has ended a file.
func (l *Log) Expired(e Expired) { l.add(l.encoder.expired(e)) }

// operates tells whether a command was to read, make or change a file. What has not come as
// far as to name one, or names the root, has done nothing.
func operates(e ftp.CommandEvent) bool {
	switch e.Verb {
	case "RETR", "STOR", "STOU", "APPE":
		return !e.Path.IsRoot()
	}
	return e.Changes && !e.Path.IsRoot()
}

// Lost is how many lines could not be written.
func (l *Log) Lost() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Close writes what waits, also what still waits for room, and closes the file. What is
// added after that is lost, and counted.
func (l *Log) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	go func() {
		l.adding.Wait() // bounded by patience
		close(l.closing)
	}()
	timer := time.NewTimer(lastLines)
	defer timer.Stop()
	select {
	case <-l.ended:
	case <-timer.C:
		return errors.New("audit file: the last lines are still being written")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost > l.told {
		l.tell(nil)
	}
	return l.file.Close()
}

var (
	errSlow   = errors.New("the file does not take lines as fast as they come")
	errClosed = errors.New("the audit is closed")
)

// add queues a line.
func (l *Log) add(line []byte) {
	if line == nil {
		return
	}
	if !l.take() {
		l.lose(1, errClosed)
		return
	}
	defer l.adding.Done()
	select {
	case l.queue <- line:
		return
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.queue <- line:
	case <-timer.C:
		l.lose(1, errSlow)
	}
}

// take has Close wait for a line, if it has not begun: a line must not come into the queue
// when nobody looks there any more.
func (l *Log) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.adding.Add(1)
	return true
}

// lose counts lines that could not be written, and tells of them now and then.
func (l *Log) lose(lines int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost += uint64(lines)
	if l.told == 0 || time.Since(l.at) >= quiet {
		l.tell(err)
	}
}

// tell tells of the lines lost so far. The lock is held.
func (l *Log) tell(err error) {
	l.told, l.at = l.lost, time.Now()
	attrs := []any{slog.Uint64("lost", l.lost)}
	if err != nil {
		attrs = append(attrs, slog.Any("err", err))
	}
	l.log.Error("audit lines are lost", attrs...)
}

// Check tells whether a file could be opened at path, and makes none.
func Check(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		return f.Close()
	}
	if errors.Is(err, os.ErrNotExist) {
		return checkParent(path)
	}
	return err
}
