package gateway

import (
	"errors"
	"log/slog"

	"causeway/configs"
	"causeway/gateway/audit"
	"causeway/gateway/ftp"
)

// observer hands what clients do to the audit and the metrics, either of which may be nil.
type observer struct {
	audit   *audit.Log
	metrics *metrics
}

// newObserver is nil where nobody wants to know.
func newObserver(a *audit.Log, m *metrics) ftp.Observer {
	if a == nil && m == nil {
		return nil
	}
	return observer{a, m}
}

func (o observer) Login(e ftp.LoginEvent) {
	result := loginResult(e.Err)
	if o.audit != nil {
		o.audit.Login(e, result)
	}
	if o.metrics != nil {
		o.metrics.login(result)
	}
}

func (o observer) Command(e ftp.CommandEvent) {
	if o.audit != nil {
		o.audit.Command(e)
	}
	if o.metrics != nil {
		o.metrics.command(e)
	}
}

// The results of a login, which only the operator is told apart.
const (
	loginOK          = "ok"
	loginRefused     = "refused"     // unknown user or wrong password
	loginLimited     = "limited"     // the account has as many sessions as it may have
	loginUnavailable = "unavailable" // it could not be judged
)

func loginResults() []string { return []string{loginOK, loginRefused, loginLimited, loginUnavailable} }

// loginResult is the class of what a login came to.
func loginResult(err error) string {
	switch {
	case err == nil:
		return loginOK
	case errors.Is(err, ftp.ErrLogin):
		return loginRefused
	case errors.Is(err, ftp.ErrSessions):
		return loginLimited
	}
	return loginUnavailable
}

// newAudit opens the audit file of a configuration; nil if there is none.
func newAudit(cfg *configs.Config, log *slog.Logger) (*audit.Log, error) {
	if cfg.Audit.File == "" {
		return nil, nil
	}
	a, err := audit.Open(cfg.Audit.File, audit.Format(cfg.Audit.Format), log)
	if err != nil {
		return nil, auditProblem(cfg, err)
	}
	return a, nil
}

// checkAudit finds what newAudit would, and makes no file.
func checkAudit(cfg *configs.Config) error {
	if cfg.Audit.File == "" {
		return nil
	}
	if err := audit.Check(cfg.Audit.File); err != nil {
		return auditProblem(cfg, err)
	}
	return nil
}

func auditProblem(cfg *configs.Config, err error) error {
	return cfg.Problem("audit.file", "cannot be appended to: "+cause(err), "name a file in a folder that exists, both of which the gateway's user may write")
}
