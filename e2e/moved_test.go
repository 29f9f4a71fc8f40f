//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"causeway/e2e/faults"
)

const (
	mib = 1 << 20
	// slack is how many octets of bodies are not content: answers, records and lists.
	slack = 64 << 10
)

// moving is something that a client does with what the store has already, or nearly.
type moving struct {
	name  string
	begin func(m *mover) // not counted
	do    func(m *mover) // counted
	bound func(kind string) bounds
}

// bounds are the most that may pass between the gateway and a store.
type bounds struct {
	sent, received int64
	requests       int
	refused        bool // the store cannot; nothing but the answer is promised
}

// mover is a client in a bucket whose traffic is counted.
type mover struct {
	*session
	kind   string
	bucket *namedBucket
	target *namedBucket // another store's, mounted on /other
	data   []byte       // what it sends is cut out of this
}

// nothing is the bound on something of which no content passes.
func nothing(requests int) func(string) bounds {
	return func(string) bounds { return bounds{slack, slack, requests, false} }
}

// movings are the rows of the table.
func movings() []moving {
	return []moving{
		{"STOR of 1000 octets", func(*mover) {}, func(m *mover) { m.store("STOR small.bin", m.data[:1000]) },
			func(string) bounds { return bounds{2000, 2000, 1, false} }},
		{"STOR cut off at 24 of 40 MiB: the rest", (*mover).park, (*mover).resume,
			func(string) bounds { return bounds{16*mib + slack, slack, 16, false} }},
		{"APPE of 4 octets to 50 MiB", (*mover).seed, (*mover).appendFour, nothing(16)},
		{"REST and STOR at half of 50 MiB", (*mover).seed, (*mover).half, func(kind string) bounds {
			switch kind {
			case "gcs": // it composes whole objects
				return bounds{slack, slack, 8, true}
			case "azure": // the block that is cut, which Azurite cannot copy a range of
				return bounds{25*mib + 8*mib + slack, 8*mib + slack, 30, false}
			}
			return bounds{25*mib + slack, slack, 16, false}
		}},
		{"RNTO of 50 MiB", (*mover).seed, (*mover).rename, nothing(8)},
		{"RNTO of a directory of 100 files", (*mover).fill, (*mover).renameAll,
			func(string) bounds {
				// Servers other than AWS keep the condition on the target of a copy in parts alone:
				// seven requests for each file in place of four.
				return bounds{2 * slack, 8 * slack, 720, false}
			}},
		{"RNTO of 50 MiB to another store", (*mover).seed, (*mover).renameAway,
			func(string) bounds { return bounds{slack, 50*mib + slack, 12, false} }},
	}
}

// TestS13_S14_S30_S31_OctetsMoved counts what resuming, appending and renaming cost on the
// wire between the gateway and its stores.
func TestS13_S14_S30_S31_OctetsMoved(t *testing.T) {
	t.Parallel()
	table := movedTable{}
	defer table.print(os.Stdout)
	data := content(50 * mib)
	var all sync.WaitGroup
	defer all.Wait()
	for _, kind := range []string{"s3", "gcs", "azure"} {
		all.Go(func() {
			t.Run(kind, func(t *testing.T) { countMoved(t, kind, data, &table) })
		})
	}
}

// countMoved goes through the table on one store.
func countMoved(t *testing.T, kind string, data []byte, table *movedTable) {
	b, proxy := behindProxy(t, kind)
	other := "s3"
	if kind == "s3" {
		other = "azure"
	}
	target, away := behindProxy(t, other)
	all := ", rights: [list, read, write, overwrite, delete, rename, mkdir]"
	second := all + "}\n      - {path: /other, store: store1, prefix: \"\"" + all
	g := start(t, setup{plain4: true, accounts: []account{
		{name: kind, store: b, mount: second}, {name: "away", store: target},
	}})
	c := &faultCell{kind: kind, proxy: proxy}
	c.awaitJanitor(t)
	for _, move := range movings() {
		t.Run(move.name, func(t *testing.T) {
			m := &mover{session: connect(t, g.address(false, false)), kind: kind, bucket: b, target: target, data: data}
			_ = m.conn.SetDeadline(time.Now().Add(cellTime))
			m.login(kind)
			move.begin(m)
			proxy.Take()
			away.Take()
			move.do(m)
			row := movedRow{kind: kind, name: move.name, at: proxy.Take(), away: away.Take(), refused: move.bound(kind).refused}
			table.add(row)
			row.judge(t, move.bound(kind))
		})
	}
}

func (m *mover) park() {
	v := &victim{session: m.session}
	v.data = v.transfer("STOR cut.bin")
	v.write(v.data, m.data[:24*mib])
	v.awaitRead(24 * mib)
	v.send("ABOR")
	v.aborted()
	m.do("SIZE cut.bin", "213")
}

func (m *mover) resume() {
	m.do(fmt.Sprint("REST ", 24*mib), "350")
	m.store("STOR cut.bin", m.data[24*mib:40*mib])
	m.bucket.holds(m.t, "cut.bin", m.data[:40*mib])
}

// seed stores 50 MiB, as the gateway does.
func (m *mover) seed() { m.store("STOR seed.bin", m.data) }

func (m *mover) appendFour() {
	m.store("APPE seed.bin", []byte("four"))
	m.bucket.holds(m.t, "seed.bin", append(m.data[:len(m.data):len(m.data)], "four"...))
}

func (m *mover) half() {
	const at = 25 * mib
	m.do(fmt.Sprint("REST ", at), "350")
	if m.kind == "gcs" {
		conn := m.passive()
		m.do("STOR seed.bin", "504")
		_ = conn.Close()
		m.bucket.holds(m.t, "seed.bin", m.data)
		return
	}
	m.store("STOR seed.bin", m.data[:at])
	m.bucket.holds(m.t, "seed.bin", append(m.data[:at:at], m.data[:at]...))
}

func (m *mover) rename() {
	m.do("RNFR seed.bin", "350")
	m.do("RNTO renamed.bin", "250")
	m.bucket.holds(m.t, "renamed.bin", m.data)
	m.bucket.lacks(m.t, "seed.bin")
}

func (m *mover) renameAway() {
	m.do("RNFR seed.bin", "350")
	m.do("RNTO /other/away.bin", "250")
	m.target.holds(m.t, "away.bin", m.data)
	m.bucket.lacks(m.t, "seed.bin")
}

func (m *mover) fill() {
	for i := range 100 {
		if err := m.bucket.write(m.t.Context(), fmt.Sprintf("dir/%03d.bin", i), m.data[:i*100]); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *mover) renameAll() {
	m.do("RNFR dir", "350")
	m.do("RNTO moved", "250")
	for i := range 100 {
		m.bucket.holds(m.t, fmt.Sprintf("moved/%03d.bin", i), m.data[:i*100])
		m.bucket.lacks(m.t, fmt.Sprintf("dir/%03d.bin", i))
	}
}

// movedRow is what one thing has cost.
type movedRow struct {
	kind, name string
	at, away   faults.Traffic // at the store, and at the other one
	refused    bool
}

func (r movedRow) judge(t *testing.T, want bounds) {
	t.Helper()
	sum := r.at.Sum()
	if sum.Sent > want.sent || sum.Received > want.received || sum.Requests > want.requests {
		t.Errorf("%d octets sent, %d received, %d requests; at most %d, %d, %d: %s",
			sum.Sent, sum.Received, sum.Requests, want.sent, want.received, want.requests, r.at)
	}
	if there := r.away.Sum(); there.Sent > want.received || there.Received > slack {
		t.Errorf("at the other store: %s", r.away)
	}
}

// movedTable gathers the rows.
type movedTable struct {
	mu   sync.Mutex
	rows map[string]movedRow // by kind and name
}

func (m *movedTable) add(r movedRow) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[string]movedRow{}
	}
	m.rows[r.kind+r.name] = r
}

func (m *movedTable) print(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintf(w, "\noctets of bodies between the gateway and its stores: sent / received, requests\n%-42s", "")
	kinds := []string{"s3", "gcs", "azure"}
	for _, kind := range kinds {
		fmt.Fprintf(w, "%-32s", kind)
	}
	for _, move := range movings() {
		fmt.Fprintf(w, "\n%-42s", move.name)
		for _, kind := range kinds {
			fmt.Fprintf(w, "%-32s", m.rows[kind+move.name])
		}
	}
	fmt.Fprint(w, "\n\n")
}

func (r movedRow) String() string {
	sum := r.at.Sum()
	text := fmt.Sprintf("%d / %d, %d", sum.Sent, sum.Received, sum.Requests)
	if r.refused {
		text += " (refused)"
	}
	return text
}
