//go:build e2e

package e2e

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// killMatrix is every way for a client to vanish in the middle of STOR, in every mode, at
// every size, with and without an object of the name, on every store. What has become of
// it is judged in the store, not through the gateway.
type killMatrix struct {
	buckets []*namedBucket
	gates   [gates]*gateway
	random  []byte // what the files are cut out of
	table   killTable

	mu   sync.Mutex
	want map[*namedBucket][]string // keys that must be there in the end
}

// What a client does after it has vanished.
const (
	goOn    = iota // REST and STOR
	addTo          // APPE
	goAway         // nothing: the janitor ends what it has left
	sequels        // how many there are
)

// sizes of what has been sent when the client vanishes; all files go on after that.
var killSizes = []string{"0 B", "1 B", "1 MiB", "one part", "three parts and a bit"}

// partSizes are those of the stores' first parts. A directory has no parts.
var partSizes = map[string]int{"localdir": 8 << 20, "s3": 8 << 20, "gcs": 16 << 20, "azure": 8 << 20}

// killCell is one cell of the matrix: levels of its columns.
type killCell struct {
	way    way
	bucket *namedBucket
	mode   int
	size   int
	over   bool // there is an object of the name
	sequel int
}

func (c killCell) String() string {
	there := "new"
	if c.over {
		there = "overwrite"
	}
	return fmt.Sprintf("%s/%s/%s/%s/%s/%d", c.way.name, c.bucket.kind, tlsMode(c.mode), killSizes[c.size], there, c.sequel)
}

// octets is how much the client has sent when it vanishes.
func (c killCell) octets() int {
	part := partSizes[c.bucket.kind]
	return []int{0, 1, 1 << 20, part, 3*part + 12_345}[c.size]
}

// The columns, in the order of a row.
const (
	byWay = iota
	byMode
	bySize
	byOver
	byBucket
	bySequel
)

func (m *killMatrix) levels() []int {
	return []int{len(ways()), tlsModes, len(killSizes), 2, len(m.buckets), sequels}
}

func (m *killMatrix) cell(row []int) killCell {
	return killCell{ways()[row[byWay]], m.buckets[row[byBucket]], row[byMode], row[bySize], row[byOver] == 1, row[bySequel]}
}

// possible leaves out what there is not: TLS to be cut on a connection in clear.
func possible(p pair) bool {
	return p[0].column != byWay || p[1] != choice{byMode, inClear} || !ways()[p[0].level].tlsOnly
}

// rows are those that this run goes through: a sample in which every two levels of
// different columns meet; or, with CAUSEWAY_KILLS=all, all there are but for the sequels,
// which take turns, and on S3 each way at least CAUSEWAY_KILLS_RUNS times.
func (m *killMatrix) rows(t *testing.T) [][]int {
	if os.Getenv("CAUSEWAY_KILLS") != "all" {
		seed := number(t, "CAUSEWAY_KILLS_SEED", 1)
		fmt.Printf("kill matrix: CAUSEWAY_KILLS_SEED=%d\n", seed)
		return pairwise(m.levels(), possible, rand.New(rand.NewPCG(uint64(seed), 0)))
	}
	rows := m.product()
	s3 := slices.IndexFunc(m.buckets, func(b *namedBucket) bool { return b.kind == "s3" })
	for w := range ways() {
		once := slices.Clone(rows)
		once = slices.DeleteFunc(once, func(row []int) bool { return row[byWay] != w || row[byBucket] != s3 })
		for i := range number(t, "CAUSEWAY_KILLS_RUNS", 0) - len(once) {
			again := slices.Clone(once[i%len(once)])
			again[bySequel] = (again[bySequel] + 1 + i/len(once)) % sequels
			rows = append(rows, again)
		}
	}
	return rows
}

// product is every cell once, with the sequels in turn.
func (m *killMatrix) product() [][]int {
	rows := [][]int{nil}
	for column, levels := range m.levels() {
		var longer [][]int
		for i, row := range rows {
			if column == bySequel {
				longer = append(longer, append(slices.Clone(row), i%levels))
				continue
			}
			for level := range levels {
				if column == byMode && !possible(pair{{byWay, row[byWay]}, {byMode, level}}) {
					continue
				}
				longer = append(longer, append(slices.Clone(row), level))
			}
		}
		rows = longer
	}
	return rows
}

// number is that of an environment variable.
func number(t *testing.T, variable string, unset int) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(variable), strconv.Itoa(unset)))
	if err != nil || n < 0 {
		t.Fatalf("%s: %q is no number", variable, os.Getenv(variable))
	}
	return n
}

// S11, S12, S13, S17: see killMatrix.
func TestS11_S12_S13_S17_KillMatrix(t *testing.T) {
	m := newKillMatrix(t)
	rows := m.rows(t)
	t.Run("cells", func(t *testing.T) {
		for i, row := range rows {
			c := m.cell(row)
			t.Run(fmt.Sprintf("%d/%s", i, c), func(t *testing.T) {
				t.Parallel()
				(&killing{killMatrix: m, killCell: c, t: t}).run()
			})
		}
	})
	m.sweep(t)
	m.table.print(os.Stdout, len(rows))
}

func newKillMatrix(t *testing.T) *killMatrix {
	t.Helper()
	buckets, err := newBuckets(t.Context(), shared.servers, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &killMatrix{buckets: buckets, random: content(80 << 20), want: map[*namedBucket][]string{}}
	m.gates = [gates]*gateway{
		prompt:    m.start(t, setup{}),
		patient:   m.start(t, setup{extra: "uploads: {grace: 10s}\n"}),
		impatient: m.start(t, setup{limits: ", transfer_timeout: 3s"}),
	}
	for _, b := range buckets {
		v := &victim{session: &session{t: t}}
		m.gates[prompt].enter(v, explicit13, properly(b))
		data := v.transfer("STOR first.bin").(*tls.Conn)
		if err := data.Close(); err != nil {
			t.Fatal(err)
		}
		v.want("226")
		m.expect(b, "first.bin")
	}
	return m
}

// start runs a gateway with two accounts on each bucket: one that only vanishes, and one
// that has ended an upload properly.
func (m *killMatrix) start(t *testing.T, s setup) *gateway {
	t.Helper()
	for _, b := range m.buckets {
		s.accounts = append(s.accounts, account{name: b.kind, store: b}, account{name: properly(b), store: b})
	}
	return start(t, s)
}

// properly is the account of a bucket that ends TLS as one should.
func properly(b *namedBucket) string { return b.kind + "-proper" }

// expect notes that an object is to be there in the end.
func (m *killMatrix) expect(b *namedBucket, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.want[b] = append(m.want[b], key)
}

// sweep has a janitor end what clients have left that never came back. Nothing but whole
// objects may be in the buckets then.
func (m *killMatrix) sweep(t *testing.T) {
	t.Helper()
	for _, b := range m.buckets {
		left, err := b.orphans(t.Context())
		if err != nil || len(left) == 0 {
			t.Errorf("%s has nothing for the janitor: %v", b.kind, err)
		}
		m.table.before(b.kind, len(left))
	}
	m.start(t, setup{extra: "uploads: {resume_window: 1s}\n"})
	t.Run("janitor", func(t *testing.T) { // a group, which ends when all in it have
		for _, b := range m.buckets {
			t.Run(b.kind, func(t *testing.T) {
				t.Parallel()
				m.swept(t, b)
			})
		}
	})
}

func (m *killMatrix) swept(t *testing.T, b *namedBucket) {
	t.Helper()
	var left []string
	err := poll(t.Context(), patience, func() (err error) {
		if left, err = b.orphans(t.Context()); err == nil && len(left) > 0 {
			err = fmt.Errorf("%s still has %q", b.kind, left)
		}
		return err
	})
	m.table.after(b.kind, len(left))
	if err != nil {
		t.Error(err)
	}
	keys, err := b.keys(t.Context(), "")
	slices.Sort(m.want[b])
	if keys = slices.DeleteFunc(keys, isReserved); err != nil || !slices.Equal(keys, m.want[b]) {
		t.Errorf("%s has %q, %v\nwant %q", b.kind, keys, err, m.want[b])
	}
}
