package azblob

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"causeway/backends/transport"
)

// nonceLength is that of rand.Text.
const nonceLength = 26

// block is one block of a blob, or one that is to become so.
type block struct {
	id   string // in base64
	size int64  // octets
}

// blockID is the id of the n-th block of a blob, counted from 1, as an upload with this
// nonce stages it. All ids of a blob must be equally long, and no other attempt at writing
// the blob stages a block of this id, so that none can put its octets among another's.
func blockID(nonce string, n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%05d", nonce, n))
}

// ours tells whether an id is of the form of blockID. Blocks of others may have ids of
// another length, or ids that their writers use again.
func ours(id string) bool {
	raw, err := base64.StdEncoding.DecodeString(id)
	if err != nil || len(raw) != nonceLength+6 || raw[nonceLength] != '-' {
		return false
	}
	return strings.Trim(string(raw[:nonceLength]), "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "" &&
		strings.Trim(string(raw[nonceLength+1:]), "0123456789") == ""
}

// blockList is what the service has of a blob's blocks.
type blockList struct {
	etag        string  // of the blob, "" if there is none
	committed   []block // those that the blob is made of; none if it was written by one request
	uncommitted map[string]int64
}

// blockList asks for the blocks of key, by one request. There are none where there is no
// blob.
func (s *Store) blockList(ctx context.Context, key string) (blockList, error) {
	var res blockblob.GetBlockListResponse
	err := transport.Retry(ctx, transient, func() (err error) {
		res, err = s.blockBlob(key).GetBlockList(ctx, blockblob.BlockListTypeAll, nil)
		return err
	})
	if errors.Is(kind(condition{}, err), fs.ErrNotExist) && err != nil {
		return blockList{}, nil
	}
	l := blockList{etag: unquoted(res.ETag), uncommitted: make(map[string]int64, len(res.UncommittedBlocks))}
	for _, b := range res.CommittedBlocks {
		l.committed = append(l.committed, block{value(b.Name), value(b.Size)})
	}
	for _, b := range res.UncommittedBlocks {
		l.uncommitted[value(b.Name)] = value(b.Size)
	}
	return l, err
}

// sum is the number of octets in blocks.
func sum(blocks []block) int64 {
	var size int64
	for _, b := range blocks {
		size += b.size
	}
	return size
}

// cut is how many of the blocks make exactly so many octets; 0 and false if none do.
func cut(blocks []block, size int64) (int, bool) {
	n := 0
	for ; n < len(blocks) && size > 0; n++ {
		size -= blocks[n].size
	}
	if size != 0 {
		return 0, false
	}
	return n, true
}

// chain is which blocks make what an upload begins with, span after span. It is what a
// record notes in Before, as "=3 NONCE*2 +1": three blocks of the object that is appended
// to, two that an earlier attempt has staged, and at least one that this attempt had to
// stage before what it kept was complete.
type chain struct {
	spans []span
	least int // blocks of the attempt's own without which the rest is worthless
}

// extends tells whether the chain is that of an upload which appends to an object, even if
// it has none of its blocks.
func (c chain) extends() bool { return len(c.spans) > 0 && c.spans[0].nonce == "" }

// bare tells whether the chain has nothing but what is in the object already.
func (c chain) bare() bool { return c.extends() && len(c.spans) == 1 }

// span is some consecutive blocks of one origin.
type span struct {
	nonce string // of the attempt that has staged them, "" for the first blocks of the object
	count int
}

func (c chain) String() string {
	var words []string
	for _, s := range c.spans {
		if s.nonce == "" {
			words = append(words, fmt.Sprintf("=%d", s.count))
		} else {
			words = append(words, fmt.Sprintf("%s*%d", s.nonce, s.count))
		}
	}
	if c.least > 0 {
		words = append(words, fmt.Sprintf("+%d", c.least))
	}
	return strings.Join(words, " ")
}

// parseChain is the opposite of chain.String; false if a later version has written it.
func parseChain(text string) (chain, bool) {
	var c chain
	for word := range strings.FieldsSeq(text) {
		nonce, digits, ok := strings.Cut(word, "*")
		if !ok {
			nonce, digits = "", word[1:]
		}
		count, err := strconv.ParseUint(digits, 10, 16)
		switch {
		case err != nil:
			return chain{}, false
		case ok && len(nonce) == nonceLength, word[0] == '=' && len(c.spans) == 0:
			c.spans = append(c.spans, span{nonce, int(count)})
		case word[0] == '+':
			c.least = int(count)
		default:
			return chain{}, false
		}
	}
	return c, true
}

// find is all that an upload has at the service: the chain's blocks, and after them those
// that the attempt with this nonce has staged. None if some of the chain are gone, or if
// there is nothing but what is in the object already.
func (c chain) find(l blockList, nonce string) []block {
	var found []block
	for _, s := range c.spans {
		if s.nonce == "" {
			if len(l.committed) < s.count {
				return nil
			}
			found = append(found, l.committed[:s.count]...)
			continue
		}
		before := len(found)
		if found = l.run(found, s); len(found) < before+s.count {
			return nil
		}
	}
	least := len(found) + c.least
	if c.bare() {
		least++
	}
	if found = l.run(found, span{nonce, -1}); len(found) < least {
		return nil
	}
	return found
}

// run appends those blocks of a span that are there, up to the first that is missing. A
// count below zero is no limit.
func (l blockList) run(found []block, s span) []block {
	for n := 0; n != s.count; n++ {
		id := blockID(s.nonce, len(found)+1)
		size, ok := l.uncommitted[id]
		if !ok {
			break
		}
		found = append(found, block{id, size})
	}
	return found
}

// first is the chain of the first n blocks that find has found with this nonce.
func (c chain) first(n int, nonce string) chain {
	var kept chain
	for _, s := range append(c.spans[:len(c.spans):len(c.spans)], span{nonce, n}) {
		if s.count = min(s.count, n); s.count > 0 || s.nonce == "" {
			kept.spans = append(kept.spans, s)
			n -= s.count
		}
	}
	return kept
}
