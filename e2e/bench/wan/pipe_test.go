package wan

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("broken")

// sender gives one piece each interval and then fails with end.
type sender struct {
	piece    []byte
	pieces   int
	interval time.Duration
	end      error
	sent     bytes.Buffer
}

func (s *sender) Read(p []byte) (int, error) {
	if s.pieces == 0 {
		return 0, s.end
	}
	s.pieces--
	time.Sleep(s.interval)
	n := copy(p, s.piece)
	s.sent.Write(p[:n])
	return n, nil
}

// receiver notes when each piece arrived, and fails after so many pieces.
type receiver struct {
	came     bytes.Buffer
	at       []time.Duration
	begun    time.Time
	failFrom int
}

func (r *receiver) Write(p []byte) (int, error) {
	if r.failFrom > 0 && len(r.at) >= r.failFrom {
		return 0, errBroken
	}
	r.at = append(r.at, time.Since(r.begun))
	return r.came.Write(p)
}

// run takes all of s through a pipe, and returns what came and how both sides ended.
func run(line Line, s *sender, failFrom int) (r *receiver, filled, drained error) {
	r = &receiver{begun: time.Now(), failFrom: failFrom}
	p := newPipe(line, r.begun)
	var both sync.WaitGroup
	both.Go(func() { filled = p.fill(s) })
	both.Go(func() { drained = p.drain(r) })
	both.Wait()
	return r, filled, drained
}

// TestDelaysDoNotAddUp: pieces that are sent one after another arrive one after another,
// all of them half a round trip later, as does the end.
func TestDelaysDoNotAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sender{piece: []byte("octets"), pieces: 200, interval: time.Millisecond, end: io.EOF}
		r, filled, drained := run(Line{RoundTrip: 50 * time.Millisecond, Rate: 1 << 30}, s, 0)
		if filled != nil || drained != nil || !bytes.Equal(r.came.Bytes(), s.sent.Bytes()) {
			t.Errorf("%v, %v, the same octets: %t", filled, drained, bytes.Equal(r.came.Bytes(), s.sent.Bytes()))
		}
		if len(r.at) != 201 { // and the end
			t.Fatalf("%d arrivals", len(r.at))
		}
		for i, at := range r.at[:200] {
			want := time.Duration(i+1)*time.Millisecond + 25*time.Millisecond
			if at < want || at > want+10*time.Microsecond { // 6 octets take 6 ns
				t.Errorf("piece %d arrived at %v, want %v", i, at, want)
			}
		}
	})
}

// TestTheRateIsKept: what is sent as fast as it is taken arrives at the line's rate, all of
// it, however short the pieces are.
func TestTheRateIsKept(t *testing.T) {
	for _, size := range []int{1000, 4 << 10, largest} {
		synctest.Test(t, func(t *testing.T) {
			const total = 8_000_000
			s := &sender{piece: bytes.Repeat([]byte("0123456"), largest)[:size], pieces: total / size, end: io.EOF}
			r, filled, drained := run(Line{RoundTrip: 50 * time.Millisecond, Rate: 40_000_000}, s, 0)
			if filled != nil || drained != nil || !bytes.Equal(r.came.Bytes(), s.sent.Bytes()) {
				t.Errorf("%v, %v, the same octets: %t", filled, drained, bytes.Equal(r.came.Bytes(), s.sent.Bytes()))
			}
			took := time.Since(r.begun) - 25*time.Millisecond
			want := time.Duration(float64(s.sent.Len()) / 40_000_000 * float64(time.Second))
			if took < want*99/100 || took > want*101/100 {
				t.Errorf("pieces of %d: %v, want %v", size, took, want)
			}
		})
	}
}

// TestFailuresArePassedOn: no side waits for one that has failed, and no failure looks like
// an end.
func TestFailuresArePassedOn(t *testing.T) {
	line := Line{RoundTrip: 50 * time.Millisecond, Rate: 40_000_000}
	synctest.Test(t, func(t *testing.T) {
		s := &sender{piece: []byte("octets"), pieces: 10, end: errBroken}
		if _, filled, drained := run(line, s, 0); !errors.Is(filled, errBroken) || drained == nil {
			t.Errorf("sender failed: %v, %v", filled, drained)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &sender{piece: make([]byte, 1000), pieces: 2 * pieces, end: io.EOF}
		if _, filled, drained := run(line, s, 10); filled != nil || !errors.Is(drained, errBroken) {
			t.Errorf("receiver failed: %v, %v", filled, drained)
		}
	})
}
