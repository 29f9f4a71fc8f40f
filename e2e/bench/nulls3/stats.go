package nulls3

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is what was counted since the start or the last reset.
type Stats struct {
	Requests    map[string]int64 `json:"requests"`    // by operation: "PutObject"
	Connections int64            `json:"connections"` // accepted
	BytesIn     int64            `json:"bytes_in"`    // of bodies received
	BytesOut    int64            `json:"bytes_out"`   // of objects sent
	Refused     int64            `json:"refused"`     // answers that tell of an error
}

// Total is the number of requests.
func (s Stats) Total() int64 {
	var n int64
	for _, v := range s.Requests {
		n += v
	}
	return n
}

type counters struct {
	connections, in, out, refused atomic.Int64

	mu       sync.Mutex
	requests map[string]int64
}

func (c *counters) count(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests == nil {
		c.requests = make(map[string]int64)
	}
	c.requests[operation]++
}

// Stats returns what was counted.
func (s *Server) Stats() Stats {
	c := &s.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Requests: maps.Clone(c.requests), Connections: c.connections.Load(),
		BytesIn: c.in.Load(), BytesOut: c.out.Load(), Refused: c.refused.Load(),
	}
}

// Reset sets all counts to nothing. Objects stay.
func (s *Server) Reset() {
	c := &s.stats
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.requests)
	for _, n := range []*atomic.Int64{&c.connections, &c.in, &c.out, &c.refused} {
		n.Store(0)
	}
}
