package ftp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
)

// The engine's own kinds of error, beside those that an FS returns.
var (
	errStopping   = errors.New("server is stopping")
	errRevoked    = errors.New("account may not be used any more")
	errResting    = errors.New("no command for a while")
	errNoRoute    = errors.New("no data connection was agreed on")
	errUnread     = errors.New("replies were not taken")
	errStranger   = errors.New("data connection from elsewhere, or one too many")
	errSecond     = errors.New("second data connection from the same address")
	errNoListen   = errors.New("passive port not opened")
	errNoData     = errors.New("data connection not made")
	errDataLost   = errors.New("data connection lost")
	errStalled    = errors.New("data connection made no progress")
	errAborted    = errors.New("aborted by ABOR")
	errVanished   = errors.New("control connection ended during a transfer")
	errFlooded    = errors.New("too many commands during a transfer")
	errCutOff     = errors.New("upload cut off")
	errNotPrivate = errors.New("data connection must be protected")
	errDataTLS    = errors.New("TLS on the data connection failed")
	errWeakTLS    = errors.New("TLS on the data connection is weaker than the account allows")
	errUnbound    = errors.New("data connection did not resume the TLS session of its control connection")
	errSequence   = errors.New("commands that exclude each other")
	errNoNotify   = errors.New("TLS ended without close_notify")
	errShort      = errors.New("fewer octets than ALLO has announced")
	errOffset     = errors.New("restart in a TYPE or STRU that has none")
	errMarker     = errors.New("restart before a command that has none")
	errASCIISize  = errors.New("size in TYPE A is unknown")
	errRecordSize = errors.New("size in STRU R is unknown")
	errNoFiles    = fmt.Errorf("nothing to list: %w", fs.ErrNotExist)
	errPanic      = errors.New("panic")
	errStillTLS   = errors.New("no close_notify after REIN")
)

// naming says what the path of a command names, which decides between replies of the same
// kind: 550 and 553.
type naming int

const (
	existing naming = iota // something that should be there
	fresh                  // something to be made
	appended               // something to be made where it is not there
	listed                 // something to be listed
)

// failure is a row of the table that turns kinds of error into replies.
type failure struct {
	kind                   error
	existing, fresh, begun int // begun: after a preliminary reply
	text                   string
	level                  slog.Level // of the log record: above Info if who operates the server can do something
}

// failures are searched from the top: a kind stands before the one that it is a case of.
func failures() []failure {
	return []failure{
		{errAborted, 426, 426, 426, "Transfer aborted.", slog.LevelInfo},
		{errVanished, 426, 426, 426, "Transfer aborted.", slog.LevelInfo},
		{errFlooded, 426, 426, 426, "Too many commands during a transfer; transfer aborted.", slog.LevelWarn},
		{errStopping, 421, 421, 421, "The server is stopping; connect again later.", slog.LevelInfo},
		{errRevoked, 421, 421, 421, "This account may not be used any more; closing.", slog.LevelInfo},
		{errNoPort, 425, 425, 425, "No passive port is free for this address; try again later.", slog.LevelWarn},
		{errNoListen, 425, 425, 425, "No passive port can be opened now; try again later.", slog.LevelWarn},
		{errHashed, 450, 450, 450, "Too much was read for checksums of this account within an hour; try again later.", slog.LevelWarn},
		{errNoRoute, 425, 425, 425, "Use EPSV, PASV, EPRT or PORT before each transfer.", slog.LevelInfo},
		{errNoData, 425, 425, 425, "The data connection was refused, or was not made in time.", slog.LevelInfo},
		{errDataLost, 426, 426, 426, "Data connection lost; transfer aborted; try again.", slog.LevelInfo},
		{errStalled, 426, 426, 426, "Too little progress on the data connection; transfer aborted; try again.", slog.LevelInfo},
		{errCutOff, 426, 426, 426, "The upload was cut off; nothing was stored; send it again.", slog.LevelInfo},
		{errShort, 426, 426, 426, "Fewer octets came than ALLO has announced; nothing was stored; send it again.", slog.LevelInfo},
		{errNotPrivate, 521, 521, 521, "Data connections must be protected here; use PBSZ 0 and PROT P.", slog.LevelInfo},
		{errDataTLS, 522, 522, 522, "TLS on the data connection failed; begin its handshake after the 150 reply.", slog.LevelInfo},
		{errWeakTLS, 522, 522, 522, "The TLS of the data connection is older or weaker than this account allows; use that of the control connection.", slog.LevelInfo},
		{errUnbound, 522, 522, 522, "The data connection must resume the TLS session of this control connection; enable session resumption in the client.", slog.LevelInfo},
		{errSequence, 503, 503, 503, "REST and RANG exclude each other; send only one of them.", slog.LevelInfo},
		{errMarker, 503, 503, 503, "REST is for RETR and STOR, RANG for RETR and HASH; send this command without them.", slog.LevelInfo},
		{errOffset, 504, 504, 504, "REST needs STRU F, before STOR also TYPE I; RANG needs TYPE I and STRU F.", slog.LevelInfo},
		{errASCIISize, 550, 550, 550, "SIZE is not known in TYPE A; use TYPE I.", slog.LevelInfo},
		{errRecordSize, 550, 550, 550, "SIZE is not known in STRU R; use STRU F.", slog.LevelInfo},
		{errSyntax, 501, 501, 501, "Bad argument; see HELP for the form of the command.", slog.LevelInfo},
		{errRecord, 426, 426, 426, "The data does not have the structure of STRU R; nothing was stored; use STRU F for other data.", slog.LevelInfo},

		{errNoFiles, 550, 550, 451, "No files found.", slog.LevelInfo},
		{ErrNotEmpty, 550, 553, 451, "Directory not empty; delete what is in it first.", slog.LevelInfo},
		{ErrIsDir, 550, 553, 451, "That is a directory, not a file.", slog.LevelInfo},
		{ErrNotDir, 550, 550, 451, "That is a file, not a directory.", slog.LevelInfo},
		{ErrChanged, 450, 450, 451, "The file was changed by someone else meanwhile; try again.", slog.LevelInfo},
		{ErrBusy, 450, 450, 451, "The file is being written; try again later.", slog.LevelInfo},
		{ErrTransfers, 450, 450, 451, "Too many transfers at once; try again when one has ended.", slog.LevelInfo},
		{ErrQuota, 552, 552, 552, "A limit on size, count or space is reached; make room or send less.", slog.LevelWarn},
		{ErrTooMany, 550, 550, 550, "Too many files are in that directory to rename it; rename what is in it bit by bit.", slog.LevelInfo},
		{ErrUnavailable, 450, 450, 451, "The storage is not available now; try again later.", slog.LevelWarn},
		{ErrRestart, 554, 554, 554, "Bad restart point; use one within the file.", slog.LevelInfo},
		{fs.ErrNotExist, 550, 553, 451, "No such file or directory.", slog.LevelInfo},
		{fs.ErrExist, 550, 553, 451, "That name is taken; choose another.", slog.LevelInfo},
		{fs.ErrPermission, 550, 553, 451, "Permission denied; this account may not do that here.", slog.LevelInfo},
		{fs.ErrInvalid, 550, 553, 451, "That cannot be a name here; use printable characters, no backslash, and 1024 octets at most.", slog.LevelInfo},
		{errors.ErrUnsupported, 502, 504, 451, "This storage cannot do that.", slog.LevelInfo},
	}
}

// failureOf finds the row of an error; an error of no kind that there is deserves a look at
// the log.
func failureOf(err error) failure {
	for _, f := range failures() {
		if errors.Is(err, f.kind) {
			return f
		}
	}
	return failure{nil, 451, 451, 451, "Local error; see the server's log.", slog.LevelError}
}

// levelOf is the loudest level of all that an error stems from: a client that hangs up
// because the store has failed does not make that less of a failure. What failed because
// its context was cancelled was given up by ourselves, and the reason for that counts.
func levelOf(err error) slog.Level {
	level := failureOf(err).level
	if errors.Is(err, context.Canceled) {
		return level
	}
	for _, f := range failures() {
		if errors.Is(err, f.kind) {
			level = max(level, f.level)
		}
	}
	return level
}

// reply is the final reply of a command that failed; the error's own text stays in the log.
func (f failure) reply(n naming, begun bool) reply {
	code := f.existing
	switch {
	case begun:
		code = f.begun
	case n == fresh, n == appended && !errors.Is(f.kind, fs.ErrNotExist):
		code = f.fresh
	case n == listed && code == 450:
		code = 451 // curl takes 450 to LIST and NLST for an empty directory
	}
	return reply{code: code, text: f.text}
}

// replyTo is the final reply of a command that failed with err. Of an upload it tells what
// has become of what came, in place of what the row's text has after its first part.
func replyTo(err error, n naming) reply {
	var late *begunError
	r := failureOf(err).reply(n, errors.As(err, &late))
	var settled *settledError
	if errors.As(err, &settled) {
		head, _, _ := strings.Cut(strings.TrimSuffix(r.text, "."), ";")
		r.text = head + "; " + settled.note
	}
	return r
}

// because is an error of a kind, with the cause for the log, if there is one.
func because(kind, cause error) error {
	switch {
	case cause == nil:
		return kind
	case errors.Is(cause, kind):
		return cause
	}
	return fmt.Errorf("%w: %w", kind, cause)
}
