//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wireFault is what goes wrong on the connections to a store, below HTTP: a toxic of
// toxiproxy's, in one direction.
type wireFault struct {
	name, toxic, attributes string

	heals bool // commands succeed all the same
	waits bool // for a time-out of the gateway's
}

func wireFaults() []wireFault {
	return []wireFault{
		{name: "latency", toxic: "latency", attributes: `{"latency": 50}`, heals: true},
		{name: "bandwidth", toxic: "bandwidth", attributes: `{"rate": 20000}`, heals: true},
		{name: "slicer", toxic: "slicer", attributes: `{"average_size": 1400, "size_variation": 700}`, heals: true},
		{name: "slow_close", toxic: "slow_close", attributes: `{"delay": 500}`, heals: true},
		{name: "timeout", toxic: "timeout", attributes: `{"timeout": 200}`, waits: true},
		{name: "reset_peer", toxic: "reset_peer", attributes: `{"timeout": 0}`, waits: true},
		{name: "limit_data", toxic: "limit_data", attributes: fmt.Sprintf(`{"bytes": %d}`, 3<<20), waits: true},
	}
}

// wireCell is one command that meets one fault in one direction, in a bucket of its own
// behind a proxy of its own.
type wireCell struct {
	*faultCell
	wire      wireFault
	direction string // "upstream" is from the gateway to the store
	proxy     *toxiproxy.Proxy
}

// TestS10_S21_StoreWire is every kind of command against faults of the connections to the
// store: what the client hears is what the bucket holds, there is never half of anything, and
// the same session works once the fault is gone.
func TestS10_S21_StoreWire(t *testing.T) {
	t.Parallel()
	cells := newWireCells(t)
	var accounts []account
	for _, c := range cells {
		accounts = append(accounts, account{name: c.name(), store: c.bucket})
	}
	g := start(t, setup{plain4: true, accounts: accounts, extra: "cache: {ttl: 0s}\n"})
	busy := make(chan struct{}, busyCells)
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range cells {
		// Not t.Parallel: cells that wait for a time-out shall not take the places of others.
		all.Go(func() {
			t.Run(strings.ReplaceAll(c.name(), "-", "/"), func(t *testing.T) {
				if !c.wire.waits {
					busy <- struct{}{}
					defer func() { <-busy }()
				}
				c.run(t, g)
			})
		})
	}
}

// newWireCells makes the cells, with their buckets and proxies.
func newWireCells(t *testing.T) []*wireCell {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // toxics log on their own
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	verbs := wireVerbs()
	var cells []*wireCell
	for _, wire := range wireFaults() {
		for _, direction := range []string{"upstream", "downstream"} {
			for _, verb := range verbs {
				c := &wireCell{wire: wire, direction: direction, faultCell: &faultCell{kind: "s3", verb: verb}}
				c.fault = storeFault{name: wire.name + "-" + direction, want: c.outcome}
				c.behindWire(t, server)
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// behindWire makes the bucket and the proxy. The S3 server takes any host, so the signature
// may cover the proxy's.
func (c *wireCell) behindWire(t *testing.T, server *toxiproxy.ApiServer) {
	t.Helper()
	host := strings.TrimPrefix(shared.servers.S3, "http://")
	c.proxy = toxiproxy.NewProxy(server, c.name(), "127.0.0.1:0", host)
	if err := c.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.proxy.Stop)
	var err error
	if c.bucket, err = newS3Bucket(t.Context(), shared.servers.S3); err != nil {
		t.Fatal(err)
	}
	c.bucket.config = c.bucket.bucket.(s3Bucket).config("http://" + c.proxy.Listen)
}

// wireVerbs are the commands.
func wireVerbs() []faultVerb {
	o := faultOperations["s3"]
	short, long := upload{"STOR", 1000, 0, 10_000}, upload{"STOR", 1000, 0, 20 << 20}
	data := content(20 << 20)
	retr := faultVerb{name: "RETR"}
	return []faultVerb{
		short.verb("STOR", o.put, nil, o.put),
		long.verb("STOR in parts", o.part, nil, o.join),
		retr.reading(map[string][]byte{"f.bin": data}, "RETR f.bin", func() []byte { return data }),
		wireList(), wireRename(),
	}
}

// wireList compares the names that LIST shows.
func wireList() faultVerb {
	objects := map[string][]byte{}
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprintf("%03d.bin", i))
		objects[want[i]] = nil
	}
	v := faultVerb{name: "LIST"}.reading(objects, "LIST", nil)
	v.new = func(ctx context.Context, c *faultCell) error {
		var names []string
		for line := range strings.Lines(string(c.got)) {
			_, name, _ := strings.Cut(line, ":") // of the time
			names = append(names, strings.TrimSpace(name[min(2, len(name)):]))
		}
		if !slices.Equal(names, want) {
			return fmt.Errorf("names %q", names)
		}
		return v.old(ctx, c)
	}
	return v
}

// wireRename is RNTO: a copy whose answer is lost may leave both, never neither (S30).
func wireRename() faultVerb {
	data := content(100_000)
	from, to := map[string][]byte{"f.bin": data}, map[string][]byte{"g.bin": data}
	both := map[string][]byte{"f.bin": data, "g.bin": data}
	v := faultVerb{name: "RNTO", done: "250", commit: faultOperations["s3"].copy}
	v = v.changing(from, to, "RNFR f.bin", "RNTO g.bin")
	v.old = func(ctx context.Context, c *faultCell) error {
		err := c.holdsAll(ctx, from)
		if err != nil && c.holdsAll(ctx, both) == nil {
			return nil
		}
		return err
	}
	return v
}

// outcome is what may come of the cell's command.
func (c *wireCell) outcome(*faultCell) faultOutcome {
	if c.wire.heals {
		return served(c.faultCell)
	}
	o := unknown(c.faultCell)
	if c.verb.reads() {
		o.replies = append(o.replies, "451")
	}
	return o
}

// run is the cell.
func (c *wireCell) run(t *testing.T, g *gateway) {
	c.verb.begin(t, c.faultCell)
	c.session = connect(t, g.address(false, false))
	c.login(c.name())
	_ = c.conn.SetDeadline(time.Now().Add(cellTime))
	c.verb.before(c.faultCell)
	c.poison(t)
	begun := time.Now()
	reply := c.verb.do(c.faultCell)
	state := c.judge(t, reply)
	t.Logf("%s %s after %v", reply, state, time.Since(begun).Round(100*time.Millisecond))
	if c.direction == "upstream" && !c.verb.reads() && reply != c.verb.done && state != "old" {
		t.Errorf("%s, the client hears, and nothing had kept the answer from the gateway: the bucket holds %s", reply, state)
	}
	c.heal(t)
	c.afterwards(t, state)
}

func (c *wireCell) poison(t *testing.T) {
	t.Helper()
	toxic := fmt.Sprintf(`{"name": "fault", "type": %q, "stream": %q, "attributes": %s}`, c.wire.toxic, c.direction, c.wire.attributes)
	if _, err := c.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

// heal removes the toxic.
func (c *wireCell) heal(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	removed := make(chan error, 1)
	go func() { removed <- c.proxy.Toxics.RemoveToxic(ctx, "fault") }()
	select {
	case err := <-removed:
		if err != nil {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("the proxy does not let its toxic go")
	}
}

// afterwards repeats the command in the same session and wants it done, and nothing left.
func (c *wireCell) afterwards(t *testing.T, state string) {
	t.Helper()
	c.do("NOOP", "200")
	if c.verb.name != "RNTO" || state == "old" { // else there is nothing to rename any more
		c.verb.before(c.faultCell)
		if reply := c.verb.do(c.faultCell); reply != c.verb.done {
			t.Errorf("without the fault: %s\n%s", reply, c.said.String())
		}
	}
	if err := c.verb.new(t.Context(), c.faultCell); err != nil {
		t.Errorf("without the fault: %v\n%s", err, c.said.String())
	}
	if c.direction == "downstream" && c.verb.uploads() && state == "old" {
		return // the id of an upload that was begun may never have come: it is the janitor's
	}
	err := poll(t.Context(), patience, func() error {
		left, err := c.bucket.begun(t.Context())
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("left in the bucket: %q", left)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
