//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// step is what a walker does in one go.
type step struct {
	lines []string // sent in one segment, and answered one by one
	// twins are commands that differ only in whether there is such a thing with the other:
	// the first of each pair says so, the second one does not. Their answers must be alike.
	twins bool
	data  bool   // before each line a passive data connection is agreed on
	send  string // on the data connection, if the last line stores
}

// onPaths are the verbs that take a path and need no data connection, with what precedes it.
func onPaths() []string {
	return []string{"CWD ", "XCWD ", "MKD ", "XMKD ", "RMD ", "XRMD ", "DELE ", "SIZE ", "MDTM ", "MLST ", "HASH ", "XCRC ", "XMD5 ", "XSHA1 ",
		"XSHA256 ", "XSHA512 ", "STAT ", "AVBL ", "SMNT ", "RNFR ", "MFMT 20200102030405 ", "MDTM 20200102030405 ", "SITE CHMOD 777 ", "SITE UTIME 202001020304 ",
		"SITE QUOTA ", "SITE SYMLINK vault ", "SITE CPFR ", "SITE CPTO ", "RETR ", "STOR ", "APPE ", "LIST ", "NLST ", "MLSD ", "STOU "}
}

// asking are those that change nothing, whose answers must not tell what another has.
func asking() []string {
	return []string{"SIZE ", "MDTM ", "MLST ", "HASH ", "XCRC ", "XMD5 ", "XSHA1 ", "XSHA256 ", "XSHA512 ", "STAT ", "AVBL ", "SMNT ", "RNFR ", "SITE CHMOD 777 ",
		"SITE UTIME 202001020304 ", "MFMT 20200102030405 ", "DELE ", "RMD ", "CWD ", "RETR ", "LIST ", "NLST ", "MLSD "}
}

// elsewhere are commands without a path of another's, which set what later ones act on.
func elsewhere() []string {
	return []string{"CDUP", "XCUP", "PWD", "XPWD", "NOOP", "FEAT", "HELP", "HELP STOR", "SYST", "TYPE I", "TYPE A", "TYPE L 8", "MODE S", "MODE B", "STRU F",
		"STRU R", "STRU F", "REST 3", "REST 0", "RANG 0 10", "RANG 1 0", "ALLO 100", "OPTS UTF8 ON", "OPTS MLST type;size;unique;", "OPTS HASH MD5", "CLNT walker",
		"LANG EN", "ACCT other", "HOST localhost", "EPSV", "PASV", "EPRT |1|127.0.0.2|4711|", "PORT 127,0,0,2,20,20", "ABOR", "SITE HELP", "SITE IDLE 300",
		"SITE UMASK 000", "SITE QUOTA", "SITE", "STAT", "AUTH KERBEROS_V4", "PBSZ 0", "PROT C", "CCC", "PASS x", "RNTO nothing", "XYZZY", "CWD /", "TYPE I", "LIST", "STOU"}
}

// next draws a step.
func (w *walker) next() step {
	switch r := w.rand.IntN(100); {
	case r < 45:
		return w.many()
	case r < 65:
		return w.comparison()
	case r < 85:
		return w.transfer()
	case r < 94:
		return w.atHome()
	case r < 99:
		return w.rename()
	}
	return w.stranger()
}

// maxSegment is fewer octets of commands than a session takes while it does something else.
const maxSegment = 16 << 10

// many are some commands in one segment.
func (w *walker) many() step {
	var lines []string
	for octets := 0; len(lines) < 30 && octets < maxSegment; octets += len(lines[len(lines)-1]) {
		line := pick(w.rand, onPaths()) + w.foreign(w.quarry())
		if w.rand.IntN(5) == 0 {
			line = pick(w.rand, elsewhere())
		}
		lines = append(lines, line)
		if line == "EPSV" || line == "PASV" {
			lines = append(lines, "ABOR") // or the next transfer would wait for the data connection
		}
	}
	return step{lines: lines}
}

// comparison asks for something that another has, and something like it that nobody has.
func (w *walker) comparison() step {
	verb, with := pick(w.rand, asking()), pick(w.rand, w.tricks)
	there, absent := "vault/"+knownFile, "vault/"+absentFile
	if w.rand.IntN(3) == 0 {
		there, absent = "vault/"+knownDir, "vault/"+absentDir
	}
	other, seed := w.other(), w.rand.Uint64()
	// The same draw for both, so that they differ in nothing else.
	say := func(rest string) string { return verb + with(rand.New(rand.NewPCG(seed, 1)), w.partner, other, rest) }
	transfers := strings.Contains("RETR LIST NLST MLSD", strings.TrimSpace(verb))
	one, two := say(there), say(absent)
	if one == two {
		return w.comparison() // a trick that says nothing of it
	}
	return step{lines: []string{one, two}, twins: true, data: transfers && w.rand.IntN(2) == 0}
}

// transfer has a data connection.
func (w *walker) transfer() step {
	verb := pick(w.rand, []string{"RETR ", "STOR ", "APPE ", "STOU ", "LIST ", "NLST ", "MLSD "})
	path := w.foreign(w.quarry())
	if w.rand.IntN(8) == 0 {
		path = w.own()
	}
	return step{lines: []string{verb + path}, data: true, send: w.content()}
}

// atHome makes something, so that there is something to go astray with.
func (w *walker) atHome() step {
	if w.rand.IntN(2) == 0 {
		return step{lines: []string{"STOR " + w.own()}, data: true, send: w.content()}
	}
	return step{lines: []string{"CWD /", "MKD home", "CWD home", "MKD " + pick(w.rand, []string{"a", "b", "in", "..."}), "LIST", "CWD /", "DELE " + w.own()}}
}

// rename goes out of the tree, or into it.
func (w *walker) rename() step {
	from, to := w.own(), w.foreign(w.quarry())
	if w.rand.IntN(2) == 0 {
		from, to = to, from
	}
	return step{lines: []string{"RNFR " + from, "RNTO " + to}}
}

// stranger says that it is another, and proves nothing.
func (w *walker) stranger() step {
	lines := []string{pick(w.rand, []string{"REIN", "REIN", "NOOP"}), "USER " + w.other().name}
	for range 5 {
		lines = append(lines, pick(w.rand, onPaths())+w.quarry())
	}
	return step{lines: append(lines, "USER "+w.partner.name, "PASS "+password, "TYPE I")}
}

// quarry is what a walker looks for in another's directory.
func (w *walker) quarry() string {
	return pick(w.rand, []string{"vault/" + prey, "vault/" + prey, "vault/" + preyDir, "vault", "vault/", "", "vault/" + preyDir + "/new"})
}

// foreign says it in one of the tricky ways.
func (w *walker) foreign(rest string) string {
	return pick(w.rand, w.tricks)(w.rand, w.partner, w.other(), rest)
}

// other is another partner, often one with a name like the walker's.
func (w *walker) other() partner {
	if w.rand.IntN(3) == 0 && len(w.siblings) > 0 {
		return pick(w.rand, w.siblings)
	}
	for {
		if p := pick(w.rand, w.all); p.name != w.partner.name {
			return p
		}
	}
}

// own is a path of the walker's own, beside its vault.
func (w *walker) own() string {
	return fmt.Sprintf("/home/%s%d", pick(w.rand, []string{"", "", "a/", "in/"}), w.rand.IntN(20))
}

// content is what the walker stores: all that is in the bucket says whose it is.
func (w *walker) content() string { return "by " + w.partner.canary + "\n" }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
