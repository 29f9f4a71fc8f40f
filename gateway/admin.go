package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// adminConnections is how many there may be at once; more wait.
	adminConnections = 32
	// adminTimeout bounds a request, and the wait for one at the end.
	adminTimeout = 10 * time.Second
)

// admin serves metrics and health. It can only be read from.
type admin struct {
	address string
	handler http.Handler
	log     *slog.Logger
	ln      net.Listener // nil before listen
}

func newAdmin(address string, m *metrics, r *readiness, log *slog.Logger) *admin {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { tell(w, http.StatusOK, "serving") })
	mux.HandleFunc("GET /readyz", r.serve)
	return &admin{address: address, handler: mux, log: log}
}

// serve answers whether clients should be sent here. Of a store that does not answer it
// says the name that the configuration gives it; why stands in the log. One that is only behind
// others is told of too, but what is here is served without it.
func (r *readiness) serve(w http.ResponseWriter, _ *http.Request) {
	if r.draining.Load() {
		tell(w, http.StatusServiceUnavailable, "draining")
		return
	}
	var needed, spared []string
	for _, name := range r.silent() {
		if r.optional(name) {
			spared = append(spared, name)
		} else {
			needed = append(needed, name)
		}
	}
	switch {
	case len(needed) > 0:
		tell(w, http.StatusServiceUnavailable, "stores that do not answer: "+strings.Join(append(needed, spared...), ", "))
	case len(spared) > 0:
		tell(w, http.StatusOK, "ready; stores behind others that do not answer: "+strings.Join(spared, ", "))
	default:
		tell(w, http.StatusOK, "ready")
	}
}

func tell(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// listen binds the address.
func (a *admin) listen(ctx context.Context) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", a.address)
	if err != nil {
		return &ListenError{Field: "admin", Err: err}
	}
	a.ln = netutil.LimitListener(ln, adminConnections)
	return nil
}

// start serves on the address that listen has bound, until the function is called that it
// returns.
func (a *admin) start() (stop func()) {
	server := &http.Server{
		Handler: a.handler, ReadTimeout: adminTimeout, WriteTimeout: adminTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 8 << 10, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	a.log.Info("admin listening", slog.String("address", a.ln.Addr().String()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(a.ln); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("admin listener ended", slog.Any("err", err))
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close() // who still reads is not waited for
		}
		<-ended
	}
}
