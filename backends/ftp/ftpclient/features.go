package ftpclient

import "strings"

// Algorithm names a checksum as HASH does.
type Algorithm string

// The checksums that servers compute. CRC32 is that of IEEE 802.3, in network order.
const (
	CRC32  Algorithm = "CRC32"
	MD5    Algorithm = "MD5"
	SHA1   Algorithm = "SHA-1"
	SHA256 Algorithm = "SHA-256"
	SHA512 Algorithm = "SHA-512"
)

// sums are the algorithms, the strongest first, with their length in octets and the command
// that servers have for it beside HASH.
var sums = []struct {
	algorithm Algorithm
	size      int
	verb      string
}{
	{SHA512, 64, "XSHA512"},
	{SHA256, 32, "XSHA256"},
	{SHA1, 20, "XSHA1"},
	{MD5, 16, "XMD5"},
	{CRC32, 4, "XCRC"},
}

// Features is what the server says that it can (FEAT, RFC 2389).
type Features struct {
	MLST  bool        // MLST and MLSD
	REST  bool        // REST in stream mode
	MDTM  bool        // times of files
	SIZE  bool        // sizes of files
	MFMT  bool        // setting times
	UTF8  bool        // names in UTF-8
	Sums  []Algorithm // what Sum can give, the strongest first
	known map[string]string
}

// Sum tells whether the server computes the checksum.
func (f Features) Sum(a Algorithm) bool {
	for _, have := range f.Sums {
		if have == a {
			return true
		}
	}
	return false
}

// parseFeatures reads the lines of a reply to FEAT. Servers differ in indenting.
func parseFeatures(lines []string) Features {
	f := Features{known: map[string]string{}}
	for _, line := range lines {
		label, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		f.known[strings.ToUpper(label)] = params
	}
	has := func(label string) bool { _, ok := f.known[label]; return ok }
	f.MLST = has("MLST") || has("MLSD")
	f.REST = strings.EqualFold(strings.TrimSpace(f.known["REST"]), "STREAM")
	f.MDTM, f.SIZE, f.MFMT, f.UTF8 = has("MDTM"), has("SIZE"), has("MFMT"), has("UTF8")
	for _, s := range sums {
		if has(s.verb) || s.algorithm == SHA1 && has("XSHA") || f.hashes(s.algorithm) {
			f.Sums = append(f.Sums, s.algorithm)
		}
	}
	return f
}

// hashes tells whether HASH computes the checksum: "HASH SHA-256*;SHA-512;MD5".
func (f Features) hashes(a Algorithm) bool {
	for name := range strings.SplitSeq(f.known["HASH"], ";") {
		if strings.EqualFold(strings.TrimSuffix(strings.TrimSpace(name), "*"), string(a)) {
			return true
		}
	}
	return false
}

// lacksFacts tells that MLST would leave out facts that we want until OPTS asks for them
// (RFC 3659 §7.9): those without a star.
func (f Features) lacksFacts() bool {
	if facts := f.known["MLST"]; facts != "" {
		for fact := range strings.SplitSeq(facts, ";") {
			switch strings.ToLower(fact) {
			case "type", "size", "modify":
				return true
			}
		}
	}
	return false
}
