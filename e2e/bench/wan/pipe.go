package wan

import (
	"errors"
	"io"
	"time"
)

const (
	// largest is how many octets are read at once.
	largest = 64 << 10
	// pieces is how many reads may be on the line, enough for one every 25 µs of a round
	// trip of 50 ms, so that short ones do not hold up the line.
	pieces = 1024
	// slack is how long a piece may take on the line before the next read waits for it:
	// about as exact as timers are.
	slack = time.Millisecond
)

// pipe is one direction of a connection: a ring of the octets on the line. One goroutine
// fills it and another drains it.
type pipe struct {
	delay time.Duration
	rate  float64 // octets a second

	// Of the goroutine that fills.
	ring []byte
	head int       // where the next octet goes
	used int       // octets not known to have left
	free time.Time // when the line can take the next octet

	sent chan piece // in order
	left chan int   // octets that have left the ring, in order; never full once fill has returned
}

// piece is a stretch of the ring, and when it arrives. The last one is empty: the end.
type piece struct {
	octets []byte
	at     time.Time
}

func newPipe(line Line, open time.Time) *pipe {
	return &pipe{
		delay: line.RoundTrip / 2, rate: float64(line.Rate), free: open,
		ring: make([]byte, line.window()),
		sent: make(chan piece, pieces), left: make(chan int, pieces+4),
	}
}

// fill puts what src has on the line until its end, which is nil, or its failure.
func (p *pipe) fill(src io.Reader) error {
	defer close(p.sent)
	for {
		// What src sends meanwhile comes in one read then, however short its writes.
		time.Sleep(time.Until(p.free) - slack)
		octets := p.space()
		n, err := src.Read(octets)
		if n > 0 {
			p.put(octets[:n])
		}
		if errors.Is(err, io.EOF) {
			p.sent <- piece{at: p.arrival()}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// space is where the next octets go. It waits while the line is full.
func (p *pipe) space() []byte {
	for {
		select {
		case n := <-p.left:
			p.used -= n
			continue
		default:
		}
		if p.used < len(p.ring) {
			break
		}
		p.used -= <-p.left
	}
	end := min(p.head+largest, p.head+len(p.ring)-p.used, len(p.ring))
	return p.ring[p.head:end]
}

func (p *pipe) put(octets []byte) {
	now := time.Now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(float64(len(octets)) / p.rate * float64(time.Second)))
	p.head = (p.head + len(octets)) % len(p.ring)
	p.used += len(octets)
	p.sent <- piece{octets, p.arrival()}
}

// arrival is when what has been put last arrives, or an end that follows it.
func (p *pipe) arrival() time.Time {
	if now := time.Now(); p.free.Before(now) {
		return now.Add(p.delay)
	}
	return p.free.Add(p.delay)
}

// drain writes what arrives to dst until the end, which is nil. After a failure it lets
// the rest go, so that fill never waits for nobody.
func (p *pipe) drain(dst io.Writer) error {
	var failed error
	ended := false
	for piece := range p.sent {
		if failed == nil {
			time.Sleep(time.Until(piece.at))
			_, failed = dst.Write(piece.octets)
			ended = piece.octets == nil
		}
		p.left <- len(piece.octets)
	}
	if failed == nil && !ended {
		return io.ErrUnexpectedEOF
	}
	return failed
}
