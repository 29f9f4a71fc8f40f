// Package httphook asks a service of the operator's for accounts: it posts what a client
// says of itself as JSON, and takes an account as JSON for an answer. It is not a client for
// anything that the gateway's own clients can name.
//
// Its central type is [Hook].
package httphook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"causeway/auth"
)

// Config is how the service is asked. URL is required.
type Config struct {
	URL       string         // http or https
	Token     string         // sent as a bearer token (RFC 6750 §2.1); "" for none
	Roots     *x509.CertPool // that the service's certificate is verified by; nil for the system's
	Timeout   time.Duration  // of one question, with the wait for its turn; 5 s if 0
	Cache     time.Duration  // for which an account is remembered by its password; 0 for none
	Questions int            // at once; 16 if 0
	// Cleartext allows http to other machines than this one, where whoever can read the
	// network reads the passwords.
	Cleartext bool
}

// Defaults of a Config, and the bounds of what is read from the service.
const (
	defaultTimeout   = 5 * time.Second
	defaultQuestions = 16
	maxAnswer        = 64 << 10
	maxHeader        = 64 << 10
)

// Hook is the service. It may be used from any goroutine, and implements [auth.Provider].
type Hook struct {
	config Config
	client *http.Client
	turns  chan struct{} // holds a value for each question that runs
	memory *memory       // nil for none
}

// New makes a hook. It asks nothing yet.
func New(c Config) (*Hook, error) { return newHook(c, nil) }

// newHook is New with the resolver of names; nil is the system's.
func newHook(c Config, names *net.Resolver) (*Hook, error) {
	target, err := url.Parse(c.URL)
	if err != nil {
		return nil, fmt.Errorf("address of the hook: %w", bare(err))
	}
	dialer := &net.Dialer{Resolver: names, ControlContext: doorOf(target.Scheme, c.Cleartext)}
	transport := &http.Transport{ // no proxy, which would dial in place of the dialer
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    cmp.Or(c.Questions, defaultQuestions),
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        time.Minute,
		DisableCompression:     true, // a bounded answer needs none, and cannot swell
	}
	h := &Hook{
		config: c,
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		turns: make(chan struct{}, cmp.Or(c.Questions, defaultQuestions)),
	}
	if c.Cache > 0 {
		h.memory = newMemory(c.Cache)
	}
	return h, nil
}

// question is what the service is sent.
type question struct {
	User     string `json:"user"`
	Password string `json:"password"`
	Remote   string `json:"remote"` // address of the client
	TLS      bool   `json:"tls"`    // of the control connection
	Host     string `json:"host"`   // that the client wants to log in at; "" if it has not said
}

// Find asks the service, unless it has told of the account with this password lately. It is
// [auth.Provider.Find]. What is not exactly an answer is an error.
func (h *Hook) Find(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	q := question{User: a.Name, Password: a.Password, Remote: a.Remote.String(), TLS: a.TLS, Host: a.Host}
	if found, ok := h.memory.get(q); ok {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(h.config.Timeout, defaultTimeout))
	defer cancel()
	found, err := h.ask(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("HTTP hook: %w", err)
	}
	h.memory.put(q, found)
	return found, nil
}

// Check is [auth.Checker.Check]: it sends OPTIONS, without the token. Any answer will do,
// since what the service says of a login is not known without one.
func (h *Hook) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(h.config.Timeout, defaultTimeout))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodOptions, h.config.URL, http.NoBody)
	if err != nil {
		return bare(err)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return bare(err)
	}
	return response.Body.Close()
}

// ask puts the question when its turn comes.
func (h *Hook) ask(ctx context.Context, q question) (*auth.Found, error) {
	select {
	case h.turns <- struct{}{}:
		defer func() { <-h.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.config.URL, bytes.NewReader(body))
	if err != nil {
		return nil, bare(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if h.config.Token != "" {
		request.Header.Set("Authorization", "Bearer "+h.config.Token)
	}
	response, err := h.client.Do(request)
	if err != nil {
		return nil, bare(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is only read
	return judge(response, q.User)
}

// judge makes an account of the response to the question for a user.
func judge(response *http.Response, user string) (*auth.Found, error) {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(text) > maxAnswer:
		return nil, errTooLong
	}
	switch response.StatusCode {
	case http.StatusOK:
		return parse(text, user)
	case http.StatusNotFound:
		return nil, auth.ErrUnknown
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, auth.ErrLogin
	}
	return nil, &StatusError{response.StatusCode}
}

var errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxAnswer)

// StatusError is an answer with a status that says nothing about the account.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return fmt.Sprintf("the answer has status %d", e.Code) }

// bare is an error without the URL, which may hold a secret.
func bare(err error) error {
	var with *url.Error
	if errors.As(err, &with) {
		return with.Err
	}
	return err
}
