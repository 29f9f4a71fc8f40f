package gateway

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"causeway/auth/guard"
	"causeway/auth/learn"
	"causeway/backends"
	"causeway/backends/metered"
	"causeway/configs"
	"causeway/gateway/ftp"
)

// metrics are what is counted and measured, for Prometheus. Labels are words of our own and
// the names of stores in the configuration, never what a client has chosen: their number is
// bounded.
type metrics struct {
	registry  *prometheus.Registry
	logins    *prometheus.CounterVec
	learning  *prometheus.CounterVec
	commands  *prometheus.HistogramVec
	transfers *prometheus.CounterVec
	octets    *prometheus.CounterVec
	resumed   prometheus.Counter
	requests  *prometheus.HistogramVec
	retries   *prometheus.CounterVec
	behind    behindMetrics
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	in := promauto.With(registry)
	m := &metrics{
		registry: registry,
		logins: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_logins_total",
			Help: "Logins that were judged, by result."}, []string{"result"}),
		learning: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_logins_learnt_total",
			Help: "Logins for which an old server was to be asked, by result."}, []string{"result"}),
		commands: in.NewHistogramVec(prometheus.HistogramOpts{Name: "causeway_command_duration_seconds", Buckets: commandBuckets(),
			Help: "Time from a command to its final reply, by verb and class of the reply's code."}, []string{"verb", "class"}),
		transfers: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_transfers_total",
			Help: "Transfers that have begun, by verb and how they ended."}, []string{"verb", "end"}),
		octets: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_transfer_bytes_total",
			Help: "Octets on data connections, in from clients or out to them, counted when a transfer ends."}, []string{"direction"}),
		resumed: in.NewCounter(prometheus.CounterOpts{Name: "causeway_uploads_resumed_total",
			Help: "Uploads that went on with what was there, parked or a file."}),
		retries: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_store_retries_total",
			Help: "Requests to a store that were made again."}, []string{"store"}),
		requests: in.NewHistogramVec(prometheus.HistogramOpts{Name: "causeway_store_request_duration_seconds", Buckets: requestBuckets(),
			Help: "Time of calls to a store, by operation and kind of error."}, []string{"store", "operation", "kind"}),
	}
	m.behind = newBehindMetrics(in)
	for _, result := range loginResults() {
		m.logins.WithLabelValues(result)
	}
	for _, result := range learn.Results() {
		m.learning.WithLabelValues(string(result))
	}
	m.octets.WithLabelValues("in")
	m.octets.WithLabelValues("out")
	return m
}

// newMeasures is nil where nobody can ask for them.
func newMeasures(cfg *configs.Config) *metrics {
	if cfg.Admin.Address == "" {
		return nil
	}
	return newMetrics()
}

// commandBuckets, in seconds, reach from what memory answers to what a large upload takes.
func commandBuckets() []float64 { return []float64{.001, .005, .025, .1, .5, 2, 10, 60, 600} }

// requestBuckets, in seconds, are close where stores answer.
func requestBuckets() []float64 {
	return []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
}

func (m *metrics) login(result string) { m.logins.WithLabelValues(result).Inc() }

// learnt counts a login for which an old server was to be asked, where there are metrics.
func (m *metrics) learnt(r learn.Result) {
	if m != nil {
		m.learning.WithLabelValues(string(r)).Inc()
	}
}

func (m *metrics) command(e ftp.CommandEvent) {
	verb := cmp.Or(e.Verb, "other")
	m.commands.WithLabelValues(verb, codeClass(e.Code)).Observe(e.Took.Seconds())
	if e.Transfer == nil {
		return
	}
	m.transfers.WithLabelValues(verb, e.Transfer.Done).Inc()
	if e.Transfer.Resumed {
		m.resumed.Inc()
	}
	direction := "out"
	if e.Transfer.Upload {
		direction = "in"
	}
	m.octets.WithLabelValues(direction).Add(float64(e.Transfer.Bytes))
}

// codeClass is the first digit of a reply's code: "2xx"; "none" where the session ended
// without one.
func codeClass(code int) string {
	if code < 100 {
		return "none"
	}
	return strconv.Itoa(code/100) + "xx"
}

// meter puts a meter in front of each store, where there are metrics.
func (m *metrics) meter(stores map[string]backends.Backend) map[string]backends.Backend {
	if m == nil {
		return stores
	}
	decorated := make(map[string]backends.Backend, len(stores))
	for name, store := range stores {
		decorated[name] = m.meterOne(name, store)
	}
	return decorated
}

// meterOne puts a meter in front of a store, or of another way to it, where there are
// metrics.
func (m *metrics) meterOne(name string, store backends.Backend) backends.Backend {
	if m == nil {
		return store
	}
	return metered.New(store, func(op metered.Operation, took time.Duration, err error) {
		m.requests.WithLabelValues(name, string(op), metered.Kind(err)).Observe(took.Seconds())
	}, m.retries.WithLabelValues(name).Inc)
}

// watch adds what is looked up when it is asked for.
func (m *metrics) watch(g *Gateway) {
	m.watchServer(g.server)
	m.watchGuard(g.guard)
	m.watchBehind(g.behinds)
	m.gauge("causeway_buffers_used_bytes", "Memory that parts of uploads and what is read ahead hold.", func() float64 {
		memory, _ := g.budget.Used()
		return float64(memory)
	})
	m.gauge("causeway_spool_used_bytes", "Disk that parts of uploads hold.", func() float64 {
		_, disk := g.budget.Used()
		return float64(disk)
	})
	memory, disk := g.budget.Capacity()
	m.gauge("causeway_buffers_capacity_bytes", "Most memory for parts of uploads and what is read ahead.", func() float64 { return float64(memory) })
	m.gauge("causeway_spool_capacity_bytes", "Most disk for parts of uploads.", func() float64 { return float64(disk) })
	if g.cache != nil {
		m.watchCache(g)
	}
	if g.audit != nil {
		m.counter("causeway_audit_lines_lost_total", "Lines that could not be written to the audit file.", g.audit.Lost)
	}
}

func (m *metrics) watchServer(s *ftp.Server) {
	m.gauge("causeway_sessions", "Sessions now.", func() float64 { return float64(s.Sessions()) })
	m.counter("causeway_sessions_total", "Sessions since the start.", func() uint64 {
		admitted, _ := s.Admitted()
		return admitted
	})
	m.counter("causeway_sessions_refused_total", "Connections that were refused because of a limit.", func() uint64 {
		_, refused := s.Admitted()
		return refused
	})
}

func (m *metrics) watchGuard(g *guard.Guard) {
	m.counter("causeway_logins_throttled_total", "Logins that were refused without a look at their password.", func() uint64 { return g.Stats().Throttled })
	m.counter("causeway_bans_total", "Bans of addresses.", func() uint64 { return g.Stats().Bans })
	m.counter("causeway_connections_banned_total", "Connections that were refused because their address was banned.", func() uint64 { return g.Stats().Refused })
	m.gauge("causeway_banned_addresses", "Addresses that are banned now.", func() float64 { return float64(g.Stats().Banned) })
}

func (m *metrics) watchCache(g *Gateway) {
	m.counter("causeway_cache_hits_total", "Looks and listings that were answered from memory.", func() uint64 { return g.cache.Stats().Hits })
	m.counter("causeway_cache_misses_total", "Looks and listings for which a store was asked.", func() uint64 { return g.cache.Stats().Misses })
	m.gauge("causeway_cache_entries", "Objects and directories that are remembered.", func() float64 { return float64(g.cache.Stats().Entries) })
	m.gauge("causeway_cache_bytes", "Memory of what is remembered, by estimate.", func() float64 { return float64(g.cache.Stats().Bytes) })
}

func (m *metrics) gauge(name, help string, value func() float64) {
	promauto.With(m.registry).NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func (m *metrics) counter(name, help string, value func() uint64) {
	promauto.With(m.registry).NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

// handler is the exposition.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: adminTimeout})
}
