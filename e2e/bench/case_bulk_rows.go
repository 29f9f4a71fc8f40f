package main

import "fmt"

// The limits of large transfers. What the gateway does is what the SDK does and what the
// FTP side's sockets cost, and a quarter of the first for all else.
const (
	sdkAllowance    = 1.25
	leastThroughput = 0.95
	cipherAllowance = 1.3
)

// work names the case in the table.
func (b bulk) work() string {
	size := fmt.Sprintf("%d MiB", b.size>>20)
	if b.size >= 1<<30 {
		size = fmt.Sprintf("%d GiB", b.size>>30)
	}
	return fmt.Sprintf("%s %d x %s", b.verb, b.files, size)
}

// rows are the figures of the rounds.
func (b bulk) rows(rounds []bulkRound) []Row {
	gib := float64(b.octets()) / (1 << 30)
	each := func(figure func(bulkRound) float64) []float64 {
		out := make([]float64, len(rounds))
		for i, r := range rounds {
			out[i] = figure(r)
		}
		return out
	}
	perGiB := func(of func(bulkRound) Usage) []float64 {
		return each(func(r bulkRound) float64 { return of(r).CPU.Seconds() / gib })
	}
	rate := func(of func(bulkRound) Usage) []float64 {
		return each(func(r bulkRound) float64 { return gib * 1024 / of(r).Wall.Seconds() })
	}
	plain := func(r bulkRound) Usage { return r.plain }
	secure := func(r bulkRound) Usage { return r.tls }
	direct := func(r bulkRound) Usage { return r.direct }
	rows := []Row{
		{Work: b.work(), Figure: "gateway CPU / (1.25 direct's + sockets')", Target: AtMost(1), Rounds: each(func(r bulkRound) float64 {
			return r.plain.CPU.Seconds() / (sdkAllowance*r.direct.CPU.Seconds() + r.sockets.CPU.Seconds())
		})},
		{Work: b.work(), Figure: "throughput / direct's", Target: AtLeast(leastThroughput), Rounds: each(func(r bulkRound) float64 {
			return r.direct.Wall.Seconds() / r.plain.Wall.Seconds()
		})},
		{Work: b.work(), Figure: "gateway CPU", Unit: "s/GiB", Rounds: perGiB(plain)},
		{Work: b.work(), Figure: "direct CPU", Unit: "s/GiB", Rounds: perGiB(direct)},
		{Work: b.work(), Figure: "sockets CPU", Unit: "s/GiB", Rounds: perGiB(func(r bulkRound) Usage { return r.sockets })},
		{Work: b.work(), Figure: "gateway throughput", Unit: "MiB/s", Rounds: rate(plain)},
		{Work: b.work(), Figure: "direct throughput", Unit: "MiB/s", Rounds: rate(direct)},
		{Work: b.work(), Figure: "gateway peak RSS", Unit: "MiB", Rounds: each(func(r bulkRound) float64 { return inMiB(max(r.plain.Peak, r.tls.Peak)) })},
		{Work: b.work() + ", TLS", Figure: "CPU more than plain / the cipher's", Target: AtMost(cipherAllowance), Rounds: each(func(r bulkRound) float64 {
			return (r.tls.CPU - r.plain.CPU).Seconds() / r.cipher
		})},
		{Work: b.work() + ", TLS", Figure: "gateway CPU", Unit: "s/GiB", Rounds: perGiB(secure)},
		{Work: b.work() + ", TLS", Figure: "the cipher's CPU", Unit: "s/GiB", Rounds: each(func(r bulkRound) float64 { return r.cipher / gib })},
		{Work: b.work() + ", TLS", Figure: "gateway throughput", Unit: "MiB/s", Rounds: rate(secure)},
	}
	if rounds[0].requests == 0 { // not counted
		return rows
	}
	return append(rows,
		Row{Work: b.work(), Figure: "gateway requests", Rounds: each(func(r bulkRound) float64 { return r.requests })},
		Row{Work: b.work(), Figure: "direct requests", Rounds: each(func(r bulkRound) float64 { return r.directRequests })})
}

func inMiB(octets int64) float64 { return float64(octets) / (1 << 20) }
