package ftp

import (
	"context"
	"slices"
	"strings"
)

// row is a command: who may use it, when, with what argument, what carries it out, and
// what FEAT and HELP say of it.
type row struct {
	verb     string
	run      handler
	argument argument
	open     bool                  // served before login
	clear    bool                  // served before AUTH though TLS is required: false for what carries secrets
	spends   spending              // uses up what was set for the next transfer, also if it is refused
	order    func(*session) *reply // nil, or the refusal when the command comes out of order
	during   attendance            // what it does while a transfer runs
	names    naming                // what its path names
	feat     func(*session) string // nil, or its line in FEAT; "" for none now
	help     string                // form of the argument
}

// handler carries out a command and returns its one final reply, or an error that is
// turned into one.
type handler func(s *session, ctx context.Context, arg string) (reply, error)

// argument is the rule for a command's argument.
type argument int

const (
	optional argument = iota
	required
	none
)

// spending is what a command uses up of what others have set for the next transfer.
type spending int

const (
	nothing    spending = iota
	marker              // of REST and RANG (RFC 3659 §5: it counts for the next transfer alone)
	everything          // the marker, the size of ALLO and the data connection agreed on
)

// attendance is what a command does that comes while a transfer runs.
type attendance int

const (
	waits   attendance = iota // is run after the transfer
	attends                   // is answered at once, if no other command waits
	aborts                    // ends the transfer at once
	leaves                    // makes the end of the control connection a goodbye
)

// commandTable finds rows by their verb.
type commandTable struct {
	rows  []row // in the order of HELP and FEAT
	index map[string]*row
}

func newCommandTable() *commandTable {
	t := &commandTable{rows: slices.Concat(accessCommands(), securityCommands(), parameterCommands(),
		transferCommands(), listCommands(), fileCommands(), informationCommands())}
	slices.SortFunc(t.rows, func(a, b row) int { return strings.Compare(a.verb, b.verb) })
	t.index = make(map[string]*row, len(t.rows))
	for i := range t.rows {
		t.index[t.rows[i].verb] = &t.rows[i]
	}
	return t
}

func accessCommands() []row {
	return []row{
		{verb: "USER", run: (*session).user, argument: required, open: true, help: "<SP> name"},
		{verb: "PASS", run: (*session).pass, open: true, order: afterUser, help: "<SP> password"},
		{verb: "ACCT", run: (*session).acct, help: "<SP> account"},
		{verb: "REIN", run: (*session).rein, argument: none, open: true, clear: true},
		{verb: "QUIT", run: (*session).exit, argument: none, open: true, clear: true, during: leaves},
		{verb: "HOST", run: (*session).host, argument: required, open: true, clear: true, order: beforeUser,
			feat: constant("HOST"), help: "<SP> host"},
		{verb: "CLNT", run: (*session).clnt, open: true, clear: true, feat: constant("CLNT"), help: "<SP> client"},
		{verb: "LANG", run: (*session).lang, open: true, clear: true, feat: constant("LANG EN*"), help: "[<SP> EN]"},
		{verb: "NOOP", run: (*session).noop, open: true, clear: true, during: attends},
	}
}

func securityCommands() []row {
	return []row{
		{verb: "AUTH", run: (*session).auth, argument: required, open: true, clear: true,
			feat: whereTLS("AUTH TLS"), help: "<SP> TLS"},
		{verb: "PBSZ", run: (*session).pbsz, argument: required, open: true, clear: true, order: afterAuth,
			feat: whereTLS("PBSZ"), help: "<SP> 0"},
		{verb: "PROT", run: (*session).prot, argument: required, open: true, clear: true, order: afterPBSZ,
			feat: whereTLS("PROT"), help: "<SP> P or C"},
		{verb: "CCC", run: (*session).ccc, argument: none, open: true, clear: true},
	}
}

func parameterCommands() []row {
	return []row{
		{verb: "TYPE", run: (*session).typ, argument: required, help: "<SP> A, I or L 8"},
		{verb: "STRU", run: (*session).stru, argument: required, help: "<SP> F or R"},
		{verb: "MODE", run: (*session).mode, argument: required, help: "<SP> S"},
		{verb: "PORT", run: (*session).portCommand, argument: required, order: beforeEPSVAll, help: "<SP> h1,h2,h3,h4,p1,p2"},
		{verb: "EPRT", run: (*session).eprt, argument: required, order: beforeEPSVAll,
			feat: (*session).featEPRT, help: "<SP> |protocol|address|port|"},
		{verb: "PASV", run: (*session).pasv, argument: none, order: beforeEPSVAll},
		{verb: "EPSV", run: (*session).epsv, feat: constant("EPSV"), help: "[<SP> 1, 2 or ALL]"},
		{verb: "REST", run: (*session).rest, argument: required, feat: constant("REST STREAM"), help: "<SP> offset"},
		{verb: "RANG", run: (*session).rang, argument: required, feat: constant("RANG STREAM"), help: "<SP> first <SP> last"},
		{verb: "ALLO", run: (*session).allo, argument: required, help: "<SP> octets [<SP> R <SP> octets]"},
		{verb: "OPTS", run: (*session).opts, argument: required, open: true, clear: true,
			feat: (*session).featUTF8, help: "<SP> UTF8, MLST or HASH <SP> value"},
	}
}

func transferCommands() []row {
	return []row{
		{verb: "RETR", run: (*session).retr, spends: everything, argument: required, help: "<SP> path"},
		{verb: "STOR", run: (*session).stor, spends: everything, argument: required, names: fresh, help: "<SP> path"},
		{verb: "STOU", run: (*session).stou, spends: everything, names: fresh, help: "[<SP> path]"},
		{verb: "APPE", run: (*session).appe, spends: everything, argument: required, names: appended, help: "<SP> path"},
		{verb: "ABOR", run: (*session).abor, spends: everything, during: aborts},
		{verb: "HASH", run: (*session).hash, spends: marker, argument: required, feat: (*session).featHash, help: "<SP> path"},
		{verb: "XCRC", run: xhash("CRC32"), spends: marker, argument: required, feat: constant("XCRC"), help: xhashForm},
		{verb: "XMD5", run: xhash("MD5"), spends: marker, argument: required, feat: constant("XMD5"), help: xhashForm},
		{verb: "XSHA1", run: xhash("SHA-1"), spends: marker, argument: required, feat: constant("XSHA1"), help: xhashForm},
		{verb: "XSHA256", run: xhash("SHA-256"), spends: marker, argument: required, feat: constant("XSHA256"), help: xhashForm},
		{verb: "XSHA512", run: xhash("SHA-512"), spends: marker, argument: required, feat: constant("XSHA512"), help: xhashForm},
	}
}

func listCommands() []row {
	return []row{
		{verb: "LIST", run: (*session).list, spends: everything, names: listed, help: "[<SP> path]"},
		{verb: "NLST", run: (*session).nlst, spends: everything, names: listed, help: "[<SP> path]"},
		{verb: "MLSD", run: (*session).mlsd, spends: everything, names: listed, help: "[<SP> path]"},
		{verb: "MLST", run: (*session).mlst, feat: (*session).featMLST, help: "[<SP> path]"},
		{verb: "STAT", run: (*session).stat, during: attends, help: "[<SP> path]"},
	}
}

func fileCommands() []row {
	const path = "<SP> path"
	return []row{
		{verb: "CWD", run: (*session).cwd, argument: required, feat: constant("TVFS"), help: path},
		{verb: "XCWD", run: (*session).cwd, argument: required, help: path},
		{verb: "CDUP", run: (*session).cdup, argument: none},
		{verb: "XCUP", run: (*session).cdup, argument: none},
		{verb: "PWD", run: (*session).pwd, argument: none},
		{verb: "XPWD", run: (*session).pwd, argument: none},
		{verb: "MKD", run: (*session).mkd, argument: required, help: path},
		{verb: "XMKD", run: (*session).mkd, argument: required, help: path},
		{verb: "RMD", run: (*session).rmd, argument: required, help: path},
		{verb: "XRMD", run: (*session).rmd, argument: required, help: path},
		{verb: "DELE", run: (*session).dele, argument: required, help: path},
		{verb: "RNFR", run: (*session).rnfr, argument: required, help: path},
		{verb: "RNTO", run: (*session).rnto, argument: required, order: afterRNFR, names: fresh, help: path},
		{verb: "SIZE", run: (*session).size, argument: required, feat: constant("SIZE"), help: path},
		{verb: "MDTM", run: (*session).mdtm, argument: required, feat: constant("MDTM"), help: path},
		{verb: "MFMT", run: (*session).mfmt, argument: required, feat: constant("MFMT"), help: "<SP> YYYYMMDDHHMMSS <SP> path"},
		{verb: "AVBL", run: (*session).avbl, feat: constant("AVBL"), help: "[<SP> path]"},
	}
}

func informationCommands() []row {
	return []row{
		{verb: "FEAT", run: (*session).features, argument: none, open: true, clear: true},
		{verb: "HELP", run: (*session).help, open: true, clear: true, help: "[<SP> command]"},
		{verb: "SITE", run: (*session).site, argument: required, help: "<SP> HELP, CHMOD, IDLE, QUOTA, UMASK or UTIME"},
		{verb: "SYST", run: (*session).syst, argument: none, open: true, clear: true},
		{verb: "SMNT", run: (*session).smnt, help: "<SP> path"},
	}
}

// constant is a FEAT line that is always there.
func constant(line string) func(*session) string {
	return func(*session) string { return line }
}

// whereTLS is a FEAT line that is there when the server has TLS.
func whereTLS(line string) func(*session) string {
	return func(s *session) string {
		if s.server.tls == nil {
			return ""
		}
		return line
	}
}

// The order rules. Each returns the refusal of a command that comes too early or too late.

func afterUser(s *session) *reply {
	return refuseUnless(s.login.named || s.login.vouched, "Send USER before PASS.")
}

func beforeUser(s *session) *reply {
	return refuseUnless(!s.login.named && s.login.account == nil, "HOST must come before USER.")
}

func afterAuth(s *session) *reply {
	return refuseUnless(s.security.binding != nil, "Send AUTH TLS before PBSZ and PROT.")
}

func afterPBSZ(s *session) *reply {
	return refuseUnless(s.security.sized, "Send AUTH TLS and PBSZ 0 before PROT.")
}

func afterRNFR(s *session) *reply {
	return refuseUnless(s.params.rename != nil && s.params.rename.at == s.serial-1, "Send RNFR right before RNTO.")
}

func beforeEPSVAll(s *session) *reply {
	if s.params.epsvAll {
		return &reply{code: 501, text: "After EPSV ALL only EPSV is taken."}
	}
	return nil
}

// refuseUnless is a refusal with 503, or nil when the order is right.
func refuseUnless(right bool, text string) *reply { //nolint:revive // the fact, not a mode
	if right {
		return nil
	}
	return &reply{code: 503, text: text}
}
