//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// killing is one cell as it runs.
type killing struct {
	*killMatrix
	killCell
	t     *testing.T
	name  string
	whole []byte // the file, of which octets() are sent at first
	old   []byte // the object of the name, nil if there is none
}

// previous is the size of objects that are to be overwritten, unlike that of any upload
// that was cut off.
const previous = 1013

// rest is how much of a file follows after its client has come back.
const rest = 70_000

func (k *killing) run() {
	e := ending{way: k.way.name, apart: k.way.apart}
	defer func() { k.table.add(e) }()
	k.begin()
	kept := k.vanish()
	if k.way.apart {
		k.bucket.holds(k.t, k.name, k.whole[:k.octets()])
		k.expect(k.bucket, k.name)
		e.published = true
		return
	}
	k.judge(&e)
	if k.old != nil || k.sequel != goAway {
		k.expect(k.bucket, k.name)
	}
	if k.sequel == goAway {
		e.left = kept > 0
		return
	}
	e.resumable = k.octets() > 0
	e.again = kept == 0
	k.comeBack(kept)
	e.resumed = kept > 0
}

// begin cuts the file out of the random octets and puts the object that is there before.
func (k *killing) begin() {
	size := k.octets() + rest
	at := rand.N(len(k.random) - size)
	k.name, k.whole = random(8)+".bin", k.random[at:at+size]
	if !k.over {
		return
	}
	k.old = content(previous)
	if err := k.bucket.write(k.t.Context(), k.name, k.old); err != nil {
		k.t.Fatal(err)
	}
}

// vanish uploads the first octets and ends the client. It returns how many octets are kept,
// as the gateway's log has it.
func (k *killing) vanish() int {
	k.t.Helper()
	g, user := k.gates[k.way.gate], k.bucket.kind
	if k.way.proper {
		user = properly(k.bucket)
	}
	v := &victim{session: &session{t: k.t}}
	if k.way.relayed {
		v.relay = newRelay(k.t)
	}
	g.enter(v, k.mode, user)
	v.data = v.transfer("STOR " + k.name)
	v.write(v.data, k.whole[:k.octets()])
	v.awaitRead(k.octets())
	k.way.do(v)
	r, err := g.log.await(func(r record) bool { return r["msg"] == "transfer" && r.text("path") == "/"+k.name }, 0, g.exited)
	if err != nil {
		k.t.Fatalf("end of STOR %s: %v\n%s", k.name, err, v.said.String())
	}
	kept, _ := r["kept"].(float64)
	return int(kept)
}

// status is what STAT tells of a transfer.
var status = regexp.MustCompile(`\((\d+) bytes\)`)

// awaitRead waits until the gateway has read so many octets.
func (v *victim) awaitRead(octets int) {
	v.t.Helper()
	err := poll(v.t.Context(), patience, func() error {
		said := v.do("STAT", "211").String()
		if found := status.FindStringSubmatch(said); len(found) != 2 || found[1] != strconv.Itoa(octets) {
			return fmt.Errorf("of %d octets are read: %s", octets, said)
		}
		return nil
	})
	if err != nil {
		v.fatalf("%v", err)
	}
}

// judge looks at what readers see now: what was there before, if anything was.
func (k *killing) judge(o *ending) {
	k.t.Helper()
	got, err := k.bucket.read(k.t.Context(), k.name)
	switch {
	case k.old == nil && errors.Is(err, fs.ErrNotExist), k.old != nil && bytes.Equal(got, k.old):
		return
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		k.t.Fatal(err)
	}
	o.truncated, o.lost = err == nil, k.old != nil
	k.t.Fatalf("under the name there are %d octets, %v; before there were %d, and %d of %d were sent",
		len(got), err, len(k.old), k.octets(), len(k.whole))
}

// comeBack continues the upload in a new session, of the gateway that it was cut off from
// if that is a prompt one, else of another one.
func (k *killing) comeBack(kept int) {
	k.t.Helper()
	if k.octets() > 0 && kept == 0 || kept > k.octets() {
		k.t.Fatalf("%d octets are kept of %d", kept, k.octets())
	}
	v := &victim{session: &session{t: k.t}}
	k.gates[prompt].enter(v, k.mode, properly(k.bucket))
	k.sized(v, kept)
	switch {
	case kept == 0:
		v.store("STOR "+k.name, k.whole)
	case k.sequel == addTo:
		k.goOn(v, kept, "APPE "+k.name)
	default:
		k.goOn(v, kept, fmt.Sprint("REST ", kept), "STOR "+k.name)
	}
	k.bucket.holds(k.t, k.name, k.whole)
	if n := len(k.whole); v.do("SIZE "+k.name, "213").lines[0] != fmt.Sprint("213 ", n) {
		v.fatalf("it has %d octets", n)
	}
}

// goOn sends what is missing. Another gateway that remembers what was there before may find
// that it has changed since SIZE, and ask to try again (S23); the one of the upload may not.
func (k *killing) goOn(v *victim, kept int, commands ...string) {
	k.t.Helper()
	last := len(commands) - 1
	err := poll(k.t.Context(), patience, func() error {
		for _, command := range commands[:last] {
			v.do(command, "350")
		}
		var refusals []string
		if k.way.gate != prompt {
			refusals = []string{"450"}
		}
		data, r := v.begin(commands[last], refusals...)
		if data == nil {
			k.sized(v, kept)
			return fmt.Errorf("%s: %s", commands[last], r)
		}
		v.write(data, k.whole[kept:])
		if err := data.Close(); err != nil {
			v.fatalf("close of data: %v", err)
		}
		v.want("226")
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// sized wants SIZE to tell what is kept, or else of the object that is there. Another
// gateway may remember for a while what was there before (S23).
func (k *killing) sized(v *victim, kept int) {
	k.t.Helper()
	want := fmt.Sprint("213 ", kept)
	if kept == 0 && k.old != nil {
		want = fmt.Sprint("213 ", previous)
	} else if kept == 0 {
		want = "550 No such file or directory."
	}
	limit := patience / 2
	if k.way.gate == prompt {
		limit = 0 // what this gateway has done it tells at once
	}
	err := poll(k.t.Context(), limit, func() error {
		if said := v.do("SIZE "+k.name, "213", "550").lines[0]; said != want {
			return fmt.Errorf("SIZE tells %q, want %q", said, want)
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
}

// orphans are what is in a bucket, unseen, of uploads that never ended. Azure has no
// request that ends uncommitted blocks: the service drops them after seven days.
func (b *namedBucket) orphans(ctx context.Context) ([]string, error) {
	if b.kind == "azure" {
		return b.keys(ctx, reserved)
	}
	return b.begun(ctx)
}

func isReserved(key string) bool { return strings.HasPrefix(key, reserved) }
