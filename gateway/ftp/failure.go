package ftp

import (
	"errors"
	"fmt"
	"io/fs"
)

// The engine's own kinds of error, beside those that an FS returns.
var (
	errStopping   = errors.New("server is stopping")
	errNoRoute    = errors.New("no data connection was agreed on")
	errUnread     = errors.New("replies were not taken")
	errStranger   = errors.New("data connection from elsewhere, or one too many")
	errSecond     = errors.New("second data connection from the same address")
	errNoData     = errors.New("data connection not made")
	errDataLost   = errors.New("data connection lost")
	errStalled    = errors.New("data connection made no progress")
	errAborted    = errors.New("aborted by ABOR")
	errVanished   = errors.New("control connection ended during a transfer")
	errFlooded    = errors.New("too many commands during a transfer")
	errCutOff     = errors.New("upload cut off")
	errNotPrivate = errors.New("data connection must be protected")
	errDataTLS    = errors.New("TLS on the data connection failed")
	errUnbound    = errors.New("data connection did not resume the TLS session of its control connection")
	errSequence   = errors.New("commands that exclude each other")
	errOffset     = errors.New("restart in a TYPE or STRU that has none")
	errAppend     = errors.New("uploads begin at the first octet")
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
)

// failure is a row of the table that turns kinds of error into replies. A code of 0 means
// the one for an unknown error.
type failure struct {
	kind                   error
	existing, fresh, begun int // begun: after a preliminary reply
	text                   string
}

// failures are searched from the top: a kind stands before the one that it is a case of.
func failures() []failure {
	return []failure{
		{errAborted, 426, 426, 426, "Transfer aborted."},
		{errVanished, 426, 426, 426, "Transfer aborted."},
		{errFlooded, 426, 426, 426, "Too many commands during a transfer; transfer aborted."},
		{errStopping, 421, 421, 421, "The server is stopping; connect again later."},
		{errNoPort, 425, 425, 425, "No passive port is free for this address; try again later."},
		{errNoRoute, 425, 425, 425, "Use EPSV, PASV, EPRT or PORT before each transfer."},
		{errNoData, 425, 425, 425, "The data connection could not be made within the time allowed."},
		{errDataLost, 426, 426, 426, "Data connection lost; transfer aborted; try again."},
		{errStalled, 426, 426, 426, "Too little progress on the data connection; transfer aborted; try again."},
		{errCutOff, 426, 426, 426, "The upload was cut off; nothing was stored; send it again."},
		{errNotPrivate, 521, 521, 521, "Data connections must be protected here; use PBSZ 0 and PROT P."},
		{errDataTLS, 522, 522, 522, "TLS on the data connection failed; begin its handshake after the 150 reply."},
		{errUnbound, 522, 522, 522, "The data connection must resume the TLS session of this control connection; enable session resumption in the client."},
		{errSequence, 503, 503, 503, "REST and RANG exclude each other; send only one of them."},
		{errOffset, 504, 504, 504, "Restarting needs TYPE I and STRU F."},
		{errAppend, 504, 504, 504, "Appending and resuming of uploads are not offered; send the whole file with STOR."},
		{errASCIISize, 550, 550, 550, "SIZE is not known in TYPE A; use TYPE I."},
		{errRecordSize, 550, 550, 550, "SIZE is not known in STRU R; use STRU F."},
		{errSyntax, 501, 501, 501, "Bad argument; see HELP for the form of the command."},
		{errProtocol, 522, 522, 522, "Network protocol not supported, use (1,2)."},
		{errRecord, 426, 426, 426, "The data does not have the structure of STRU R; nothing was stored; use STRU F for other data."},

		{errNoFiles, 550, 550, 451, "No files found."},
		{ErrNotEmpty, 550, 553, 451, "Directory not empty; delete what is in it first."},
		{ErrIsDir, 550, 553, 451, "That is a directory, not a file."},
		{ErrNotDir, 550, 550, 451, "That is a file, not a directory."},
		{ErrChanged, 450, 450, 451, "The file was changed by someone else meanwhile; try again."},
		{ErrBusy, 450, 450, 451, "The file is being written; try again later."},
		{ErrQuota, 552, 552, 552, "A limit on size, count or space is reached; make room or send less."},
		{ErrUnavailable, 450, 450, 451, "The storage is not available now; try again later."},
		{ErrRestart, 554, 554, 554, "Bad restart point; use one within the file."},
		{fs.ErrNotExist, 550, 553, 451, "No such file or directory."},
		{fs.ErrExist, 550, 553, 451, "That name is taken; choose another."},
		{fs.ErrPermission, 550, 553, 451, "Permission denied; this account may not do that here."},
		{fs.ErrInvalid, 550, 553, 451, "That cannot be a name here; use printable characters, no backslash, and 1024 octets at most."},
		{errors.ErrUnsupported, 502, 504, 451, "This storage cannot do that."},
	}
}

// replyTo turns the error of a command into its final reply; known is false for an error
// of no kind that there is, which deserves a look at the log. The error's own text stays
// in the log.
func replyTo(err error, n naming, begun bool) (r reply, known bool) {
	for _, f := range failures() {
		if !errors.Is(err, f.kind) {
			continue
		}
		code := f.existing
		switch {
		case begun:
			code = f.begun
		case n == fresh:
			code = f.fresh
		}
		return reply{code: code, text: f.text}, true
	}
	return reply{code: 451, text: "Local error; see the server's log."}, false
}
