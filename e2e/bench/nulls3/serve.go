package nulls3

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// Control is what is asked of a running server over HTTP, at a listener of its own, so that
// it shows in no count: GET tells the [Stats], DELETE sets them to nothing.
func (s *Server) Control() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			_ = json.NewEncoder(w).Encode(s.Stats()) // who has gone needs no answer
		case http.MethodDelete:
			s.Reset()
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
}

// ServeControl answers on the listener, which it closes, until ctx ends.
func (s *Server) ServeControl(ctx context.Context, l net.Listener) error {
	return serve(ctx, l, &http.Server{Handler: s.Control(), ReadHeaderTimeout: time.Minute})
}
