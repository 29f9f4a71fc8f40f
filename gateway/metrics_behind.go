package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"causeway/backends/readthrough"
)

// behindMetrics count what happens behind stores. All labels are names of the configuration.
type behindMetrics struct {
	reads    *prometheus.CounterVec
	down     *prometheus.CounterVec
	copies   *prometheus.CounterVec
	mirrored *prometheus.CounterVec
}

func newBehindMetrics(in promauto.Factory) behindMetrics {
	return behindMetrics{
		reads: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_behind_reads_total",
			Help: "Reads of files that were answered from behind a store."}, []string{"store", "behind"}),
		down: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_behind_unavailable_total",
			Help: "Questions that what is behind a store has not answered."}, []string{"store", "behind"}),
		copies: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_behind_copies_total",
			Help: "Files that were to be stored when they were read from behind a store, by what came of it."}, []string{"store", "behind", "result"}),
		mirrored: in.NewCounterVec(prometheus.CounterOpts{Name: "causeway_behind_mirrored_total",
			Help: "Tries to change behind a store what was changed in it, by what came of them."}, []string{"store", "behind", "result"}),
	}
}

func (m behindMetrics) event(store, behind string, e readthrough.Event) {
	switch e {
	case readthrough.Read:
		m.reads.WithLabelValues(store, behind).Inc()
	case readthrough.Unreachable:
		m.down.WithLabelValues(store, behind).Inc()
	case readthrough.Copied:
		m.copies.WithLabelValues(store, behind, "ok").Inc()
	case readthrough.NotCopied:
		m.copies.WithLabelValues(store, behind, "failed").Inc()
	case readthrough.Mirrored:
		m.mirrored.WithLabelValues(store, behind, "ok").Inc()
	case readthrough.NotMirrored:
		m.mirrored.WithLabelValues(store, behind, "failed").Inc()
	}
}

// watchBehind adds how much is still to be changed behind each store.
func (m *metrics) watchBehind(b *behinds) {
	for name, routes := range b.routes {
		promauto.With(m.registry).NewGaugeFunc(prometheus.GaugeOpts{Name: "causeway_behind_mirror_queue",
			Help: "Changes of a store that are still to be made behind it.", ConstLabels: prometheus.Labels{"store": name}},
			func() float64 { return float64(routes.Queued()) })
	}
}
