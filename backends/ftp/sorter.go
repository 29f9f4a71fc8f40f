package ftp

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
)

const (
	// runSize is how much of a listing is sorted in memory at a time, in octets as cost
	// counts them.
	runSize = 2 << 20
	// keptSize is how much of a sorted listing stays in memory while it is paged.
	keptSize = 1 << 20
	// mergeSize is what the buffers of all runs of a listing have together, and leastBuffer
	// what one has at least.
	mergeSize, leastBuffer = 512 << 10, 4 << 10
	// entryCost is what an entry takes in memory beside its name.
	entryCost = 48
)

// entry is a file or directory of a listing.
type entry struct {
	name   string // that of a directory ends in "/": its keys sort so
	facts  facts
	unsure bool // a link, or of unknown size: Stat has to tell
}

func (e entry) cost() int { return len(e.name) + entryCost }

// sorter puts the entries of a directory in byte order, in constant memory: what is more
// than a run goes to a temporary file in sorted runs, which are merged as they are read.
type sorter struct {
	take   func() (*os.File, error) // for what does not fit, empty; give takes it back
	give   func(*os.File)
	limit  int // octets of a run
	kept   int // octets of a whole that stay in memory
	held   []entry
	octets int // of held

	file *os.File
	w    *bufio.Writer
	end  int64   // octets written
	runs []int64 // where they end
}

func newSorter(take func() (*os.File, error), give func(*os.File)) *sorter {
	return &sorter{take: take, give: give, limit: runSize, kept: keptSize}
}

// add takes one entry. After an error only close is useful.
func (s *sorter) add(e entry) error {
	s.held = append(s.held, e)
	s.octets += e.cost()
	if s.octets < s.limit {
		return nil
	}
	return s.spill()
}

// spill writes what is held as one run.
func (s *sorter) spill() error {
	if s.file == nil {
		f, err := s.take()
		if err != nil {
			return err
		}
		s.file, s.w = f, bufio.NewWriterSize(f, 64<<10)
	}
	sortEntries(s.held)
	var buf []byte
	for _, e := range s.held {
		buf = appendEntry(buf[:0], e)
		if _, err := s.w.Write(buf); err != nil {
			return err
		}
		s.end += int64(len(buf))
	}
	if err := s.w.Flush(); err != nil {
		return err
	}
	s.runs = append(s.runs, s.end)
	clear(s.held) // the names are not wanted any more
	s.held, s.octets = s.held[:0], 0
	return nil
}

func sortEntries(entries []entry) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
}

// sorted gives all entries in order. The sorter is of no use after it.
func (s *sorter) sorted() (*snapshot, error) {
	if s.file == nil && s.octets <= s.kept {
		sortEntries(s.held)
		return &snapshot{held: s.held, octets: s.octets}, nil
	}
	if len(s.held) > 0 {
		if err := s.spill(); err != nil {
			return nil, err
		}
	}
	m := &snapshot{file: s.file, give: s.give}
	begin, buffer := int64(0), max(leastBuffer, mergeSize/len(s.runs))
	for _, end := range s.runs {
		r := &run{r: bufio.NewReaderSize(io.NewSectionReader(s.file, begin, end-begin), buffer)}
		m.octets += buffer
		begin = end
		if err := r.advance(); err != nil {
			return nil, err
		}
		m.runs = append(m.runs, r)
	}
	heap.Init(&m.runs)
	s.file = nil // the snapshot's
	return m, nil
}

// close gives the temporary file up, unless sorted has handed it on.
func (s *sorter) close() {
	if s.file != nil {
		s.give(s.file)
	}
}

// snapshot is the entries of a directory in byte order, as they were at one time, to be
// read once. It is closed when it has been read.
type snapshot struct {
	held   []entry
	octets int // in memory
	file   *os.File
	give   func(*os.File)
	runs   runs
	last   string
}

// next is the next entry; io.EOF at the end. A name that the server has listed twice comes
// once.
func (s *snapshot) next() (entry, error) {
	for {
		e, err := s.any()
		if err != nil || e.name != s.last {
			s.last = e.name
			return e, err
		}
	}
}

func (s *snapshot) any() (entry, error) {
	if s.file == nil {
		if len(s.held) == 0 {
			return entry{}, io.EOF
		}
		e := s.held[0]
		s.held = s.held[1:]
		return e, nil
	}
	if len(s.runs) == 0 {
		return entry{}, io.EOF
	}
	first := s.runs[0]
	e := first.entry
	err := first.advance()
	switch {
	case errors.Is(err, io.EOF):
		heap.Pop(&s.runs)
	case err != nil:
		return entry{}, err
	default:
		heap.Fix(&s.runs, 0)
	}
	return e, nil
}

func (s *snapshot) close() {
	if s.file != nil {
		s.give(s.file)
		s.file = nil
	}
}

// run is a sorted part of a listing, and its first entry that has not been read.
type run struct {
	r *bufio.Reader
	entry
}

// advance reads the next entry; io.EOF at the end.
func (r *run) advance() (err error) {
	r.entry, err = readEntry(r.r)
	return err
}

// runs are a heap with the run of the next entry on top.
type runs []*run

func (r runs) Len() int           { return len(r) }
func (r runs) Less(i, j int) bool { return r[i].name < r[j].name }
func (r runs) Swap(i, j int)      { r[i], r[j] = r[j], r[i] }
func (r *runs) Push(x any)        { *r = append(*r, x.(*run)) }
func (r *runs) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// The flags of an entry in a temporary file.
const (
	flagPrecise = 1 << iota
	flagUnsure
)

func appendEntry(b []byte, e entry) []byte {
	var flags byte
	if e.facts.precise {
		flags |= flagPrecise
	}
	if e.unsure {
		flags |= flagUnsure
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(len(e.name)))
	b = append(b, e.name...)
	b = binary.AppendVarint(b, e.facts.size)
	return binary.AppendVarint(b, e.facts.seconds)
}

func readEntry(r *bufio.Reader) (entry, error) {
	flags, err := r.ReadByte()
	if err != nil {
		return entry{}, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return entry{}, err
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(r, name); err != nil {
		return entry{}, err
	}
	e := entry{name: string(name), unsure: flags&flagUnsure != 0}
	e.facts.precise = flags&flagPrecise != 0
	e.facts.dir = e.name[len(e.name)-1] == '/'
	if e.facts.size, err = binary.ReadVarint(r); err != nil {
		return entry{}, err
	}
	e.facts.seconds, err = binary.ReadVarint(r)
	return e, err
}
