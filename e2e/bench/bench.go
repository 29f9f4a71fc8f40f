// Command bench measures what the built gateway adds to the same work done straight
// through the cloud's SDK: in the same run, in turns, in several rounds, because machines
// are shared and noisy. It prints one table of ratios, CPU seconds per GiB, requests,
// octets and memory, each with its limit where there is one, and the same as JSON.
//
// Every process that is measured (the gateway, the SDK's client, the store) is a process of
// its own, so that the CPU time the system counts for it is its own. Its central types are
// [Case] and [Row].
package main

import (
	"context"
	"slices"
)

// Case is one kind of work. Its rounds are run one after another, each a measurement of
// the gateway and of the SDK in turn.
type Case struct {
	Name string // as -run selects it, "stor-1x1GiB"
	// Beside says that neither time nor CPU is part of what is measured, so that the case may
	// run while another does.
	Beside bool
	// Real says that the case can do with a store that is not the null server: it reads
	// nothing that it has not put, and does without counts.
	Real bool
	Run  func(ctx context.Context, e *Env) ([]Row, error)
}

// Row is a line of the table: one figure of one kind of work.
type Row struct {
	Work   string    `json:"work"`             // "STOR 1 GiB, plain"
	Figure string    `json:"figure"`           // "gateway CPU / direct CPU"
	Unit   string    `json:"unit,omitempty"`   // "s/GiB", "MiB", "requests"; "" for a ratio
	Rounds []float64 `json:"rounds"`           // as measured
	Target *Target   `json:"target,omitempty"` // nil for a figure that is only told
	Note   string    `json:"note,omitempty"`
}

// Target is the limit of a figure.
type Target struct {
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"at_least,omitempty"` // otherwise at most
}

// AtMost is the target of a figure that should be small.
func AtMost(limit float64) *Target { return &Target{Limit: limit} }

// AtLeast is the target of a figure that should be large.
func AtLeast(limit float64) *Target { return &Target{Limit: limit, AtLeast: true} }

// Median is the middle of the rounds, the mean of the two in the middle for an even number.
func (r Row) Median() float64 {
	if len(r.Rounds) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(r.Rounds))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// Spread is the difference between the largest and the smallest round.
func (r Row) Spread() float64 {
	if len(r.Rounds) == 0 {
		return 0
	}
	return slices.Max(r.Rounds) - slices.Min(r.Rounds)
}

// Met tells whether the median keeps to the target. A row without rounds meets none.
func (r Row) Met() bool {
	switch {
	case r.Target == nil:
		return true
	case len(r.Rounds) == 0:
		return false
	case r.Target.AtLeast:
		return r.Median() >= r.Target.Limit
	}
	return r.Median() <= r.Target.Limit
}
