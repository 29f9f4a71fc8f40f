package multipart

// The shape of part growth, in shares of Options.MaxParts. A part is a fixed share of
// what came before it, so that files grow by few parts and no file pays for the largest:
// with 8 MiB parts and 10,000 of them, 64 MiB parts begin at 10 GiB.
const (
	// eager is the share while parts fit in memory. Growing this early lets an upload
	// without a spool reach over nine tenths of MaxParts of the largest parts.
	eager = 64
	// patient is the share in the second half of the part numbers, where parts may
	// need the spool: it multiplies what came before by e^8 = 3,000.
	patient = 16
)

// sizes decides how large each part of one upload may become.
type sizes struct {
	base   int64 // octets of the first parts
	memory int64 // largest part in the first half of the part numbers
	most   int64 // largest part at all
	parts  int64 // how many there may be
}

// newSizes fits the store's limits to the budget: a part is at most a quarter of the
// buffers, or where there is a spool at most all of that.
func newSizes(b *Budget, o Options) sizes {
	s := sizes{memory: min(b.largest(), o.MaxPartSize), parts: int64(o.MaxParts)}
	s.most = s.memory
	if b.spool != nil {
		s.most = min(max(s.most, b.spool.space.capacity), o.MaxPartSize)
	}
	// A hint larger than what the first parts allow saves requests. It cannot make a
	// part larger than memory holds, because clients announce what they like.
	s.base = min(max(o.PartSize, o.Size/s.parts), max(s.memory, min(o.PartSize, s.most)))
	return s
}

// of is the size in octets of part n, which begins at offset.
func (s sizes) of(n int, offset int64) int64 {
	if int64(n) <= s.parts/2 {
		return max(s.base, min(offset/max(s.parts/eager, 1), s.memory))
	}
	return max(s.base, min(offset/max(s.parts/patient, 1), s.most))
}
