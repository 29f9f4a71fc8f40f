package sim

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// access is what a client does to a register: a file that is only written as a whole, read
// and deleted.
type access struct {
	write bool
	value string // "" for no file
}

// registers is the model of one register.
func registers() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			in := input.(access)
			if in.write {
				return true, in.value
			}
			return state == output, state
		},
	}
}

// linearize holds X11 against what clients have been told of each register: there is one
// order of all that was done that explains it. mu is held.
func (w *world) linearize() {
	for _, key := range []string{"s/r0", "s/r1"} {
		var history []porcupine.Operation
		for _, o := range w.ops {
			if op, ok := w.operation(o, key); ok {
				history = append(history, op)
			}
		}
		for _, v := range w.bucket.keys[key] {
			if v.outside {
				history = append(history, porcupine.Operation{Input: access{true, string(v.content)}, Call: v.from, Return: v.from})
			}
		}
		if porcupine.CheckOperationsTimeout(registers(), history, time.Minute) == porcupine.Illegal {
			w.failf("X11: the history of %q is not linearizable", key)
			for _, o := range w.ops {
				if _, ok := w.operation(o, key); ok {
					w.failures = append(w.failures, fmt.Sprintf("\t%d-%d %s: %d %s", o.invoked, o.returned, o, o.code, brief(o.received)))
				}
			}
		}
	}
}

// operation is what a client knows of its command on a register. Nobody knows whether an
// upload that was complete and got no 226 was stored, nor whether DELE has ended the
// file or an upload parked under its name: they may happen at any time later, or never.
func (w *world) operation(o *op, key string) (porcupine.Operation, bool) {
	p := porcupine.Operation{ClientId: o.number, Call: o.invoked, Return: o.returned}
	switch {
	case o.key != key:
		return p, false
	case o.verb == "RETR" && o.code == 226 && o.ended && o.offset == 0:
		p.Input, p.Output = access{}, string(o.received)
		w.seen["read from a register"]++
		return p, true
	case o.verb == "STOR" && o.sent && !o.cut:
		if o.code != 226 {
			p.Return = math.MaxInt64
		}
		p.Input = access{true, string(o.data)}
		return p, !strings.Contains(o.text, "that name was taken")
	case o.verb == "DELE":
		p.Return = math.MaxInt64
		p.Input = access{write: true}
		return p, true
	}
	return p, false
}
