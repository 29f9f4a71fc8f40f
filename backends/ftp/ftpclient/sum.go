package ftpclient

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// sumWait is how long a server may compute: an hour is a terabyte at 300 MB/s.
const sumWait = time.Hour

// Sum has the server compute a checksum of the whole file, by HASH
// (draft-bryan-ftpext-hash) or by one of the X commands (XCRC, XMD5, XSHA1 …). The server
// may take an hour; the context is how to give up earlier. errors.ErrUnsupported if it cannot.
func (c *Conn) Sum(ctx context.Context, path string, a Algorithm) ([]byte, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	for _, s := range sums {
		if s.algorithm != a {
			continue
		}
		if c.features.hashes(a) {
			return c.sumByHASH(ctx, path, a, s.size)
		}
		if c.features.Sum(a) {
			return c.sumByVerb(ctx, path, c.features.sumVerb(s.verb), s.size)
		}
	}
	return nil, fmt.Errorf("%s: %w", a, errors.ErrUnsupported)
}

// sumVerb is the command for a checksum; XSHA is an old name of XSHA1.
func (f Features) sumVerb(verb string) string {
	if _, ok := f.known[verb]; !ok && verb == "XSHA1" {
		return "XSHA"
	}
	return verb
}

func (c *Conn) sumByHASH(ctx context.Context, path string, a Algorithm, size int) ([]byte, error) {
	if c.hash != a {
		if _, err := c.expect2xx(ctx, "OPTS", "HASH", string(a)); err != nil {
			return nil, err
		}
		c.hash = a
	}
	return c.sumByVerb(ctx, path, "HASH", size)
}

// sumByVerb looks for the sum in the reply: "213 SHA-256 0-49 hex path" to HASH, and "250
// hex", with other words before it, to the X commands. It is the first word with the right
// number of hexadecimal digits; CRCs come without their leading zeros too.
func (c *Conn) sumByVerb(ctx context.Context, path, verb string, size int) ([]byte, error) {
	if last := path[strings.LastIndexByte(path, ' ')+1:]; verb != "HASH" && last != path && strings.Trim(last, "0123456789") == "" {
		// "XCRC name 5" means the part of "name" from the fifth octet on.
		return nil, fmt.Errorf("%s of a name that ends in a number: %w", verb, errors.ErrUnsupported)
	}
	defer c.begin(ctx)()
	if err := c.send(ctx, verb, path); err != nil {
		return nil, err
	}
	r, err := c.receive(ctx, verb, sumWait)
	if err != nil {
		return nil, err
	}
	if r.code == 501 { // ProFTPD's X commands cannot do names with spaces
		return nil, fmt.Errorf("%w: %w", r.failed(verb, path), errors.ErrUnsupported)
	}
	if !r.positive() {
		return nil, c.explain(ctx, path, r.failed(verb, path))
	}
	words := strings.Fields(r.text())
	for _, word := range words {
		if len(words) == 1 && size == 4 && len(word) < 2*size {
			word = strings.Repeat("0", 2*size-len(word)) + word
		}
		if sum, err := hex.DecodeString(word); err == nil && len(sum) == size {
			return sum, nil
		}
	}
	return nil, fmt.Errorf("%s: no checksum in %q: %w", verb, r.text(), errors.ErrUnsupported)
}
