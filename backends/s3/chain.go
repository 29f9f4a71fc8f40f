package s3

import (
	"crypto/md5" //nolint:gosec // what the service makes ETags of
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	// leastPart is the least that any part but the last has.
	leastPart = 5 << 20
	// lead is how many part numbers are left free before those of an attempt that takes
	// an upload from a writer that may be alive. Such a writer looks whether the upload is
	// still its own each time it has sent as many as check, with a few under way.
	lead  = 64
	check = 32
)

// part is one that is stored.
type part struct {
	number int
	etag   string // as the server writes it
	crc    string // CRC32C in base64, "" if the upload's parts have none
	size   int64  // octets
	time   time.Time
}

// octets is how much parts hold.
func octets(parts []part) int64 {
	var n int64
	for _, p := range parts {
		n += p.size
	}
	return n
}

// completed is what CompleteMultipartUpload is told of parts.
func completed(parts []part) []types.CompletedPart {
	out := make([]types.CompletedPart, 0, len(parts))
	for _, p := range parts {
		c := types.CompletedPart{PartNumber: aws.Int32(int32(p.number)), ETag: aws.String(p.etag)}
		if p.crc != "" {
			c.ChecksumCRC32C = aws.String(p.crc)
		}
		out = append(out, c)
	}
	return out
}

// joined is the ETag of the object that parts become, "" if it cannot be told: that of
// most servers is the MD5 of those of the parts.
func joined(parts []part) string {
	h := md5.New() //nolint:gosec // see above
	for _, p := range parts {
		sum, err := hex.DecodeString(unquoted(&p.etag))
		if err != nil {
			return ""
		}
		h.Write(sum)
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// chain is what a record notes of an upload (journal.Record.Before): which parts of those
// that the server lists make it up. They are those in Spans, from attempts before, and then
// those from Next on without a gap. Parts that a writer sends who has lost the upload
// without knowing yet are neither.
type chain struct {
	Mark   string   `json:"mark"`             // in the object's metadata
	Summed bool     `json:"summed,omitempty"` // parts have a CRC32C
	Copy   bool     `json:"copy,omitempty"`   // it copies an object: there is nothing to resume
	Spans  [][2]int `json:"spans,omitempty"`  // first and last number of each run of parts
	Digest string   `json:"digest,omitempty"` // of the parts in Spans, which nobody may have replaced
	Next   int      `json:"next"`             // number of the attempt's first part
}

func (c chain) String() string {
	text, _ := json.Marshal(c) //nolint:errchkjson // nothing in it can fail
	return string(text)
}

// parseChain reads what String has written.
func parseChain(text string) (chain, error) {
	var c chain
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, err
	}
	last := 0
	for _, span := range c.Spans {
		if span[0] <= last || span[1] < span[0] {
			return c, fmt.Errorf("part numbers %v are not in order", c.Spans)
		}
		last = span[1]
	}
	if c.Next <= last || last > maxParts {
		return c, fmt.Errorf("part numbers %v are not before %d, or are too high", c.Spans, c.Next)
	}
	return c, nil
}

// after is c of an attempt that goes on after parts, with numbers from next on.
func (c chain) after(parts []part, next int) chain {
	c.Spans, c.Digest, c.Next = nil, "", next
	for _, p := range parts {
		if n := len(c.Spans); n > 0 && c.Spans[n-1][1] == p.number-1 {
			c.Spans[n-1][1] = p.number
			continue
		}
		c.Spans = append(c.Spans, [2]int{p.number, p.number})
	}
	if len(parts) > 0 {
		c.Digest = digest(parts)
	}
	return c
}

// digest names the content of parts.
func digest(parts []part) string {
	var text strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&text, "%d %s %d\n", p.number, unquoted(&p.etag), p.size)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:16])
}

// pick takes c's parts out of those that the server lists, which are in order of their
// numbers; own of them are the attempt's. It reports false if any that Spans name is
// missing or another.
func (c chain) pick(listed []part, least int64) (parts []part, own int, ok bool) {
	at := make(map[int]part, len(listed))
	for _, p := range listed {
		at[p.number] = p
	}
	for _, span := range c.Spans {
		for n := span[0]; n <= span[1]; n++ {
			parts = append(parts, at[n])
		}
	}
	if len(parts) > 0 && digest(parts) != c.Digest {
		return nil, 0, false
	}
	for n := c.Next; ; n++ {
		// Nothing can follow a part that is smaller.
		if p, there := at[n]; !there || p.size < least {
			return parts, own, true
		}
		parts = append(parts, at[n])
		own++
	}
}
