package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"causeway/auth"
	"causeway/auth/learn"
	"causeway/backends/ftp/ftpclient"
	"causeway/configs"
)

// loginAt is what tries a name and a password at an old server, as [learn.Config.Try] has it.
func loginAt(cfg *configs.Config, field string, l *configs.LearnAccounts) (func(ctx context.Context, name, password string) error, error) {
	roots, err := authorities(cfg, field+".ca", l.CA)
	if err != nil {
		return nil, err
	}
	pin, err := l.PinnedCertificate()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(l.From)
	if err != nil {
		return nil, err
	}
	server := ftpclient.Config{TLSConfig: ftpclient.Trust{Roots: roots, SHA256: pin}.TLSConfig(), Timeout: l.Timeout}
	switch port := u.Port(); {
	case u.Scheme == "ftps" && port == "990":
		server.TLS = ftpclient.Implicit
	case u.Scheme == "ftps":
		server.TLS = ftpclient.Explicit
	}
	server.Address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "21"))
	return func(ctx context.Context, name, password string) error {
		asked := server
		asked.User, asked.Password = name, password
		return judgeLogin(ftpclient.Login(ctx, asked), password)
	}, nil
}

// judgeLogin tells a login that the old server refuses from one that it cannot judge, such
// as without TLS, and keeps the password out of the log that the server sends back.
func judgeLogin(err error, password string) error {
	var reply *ftpclient.ReplyError
	if !errors.As(err, &reply) {
		return err
	}
	if strings.Contains(reply.Text, password) {
		err = fmt.Errorf("%s: %d", reply.Command, reply.Code)
	}
	switch verb, _, _ := strings.Cut(reply.Command, " "); {
	case reply.Code != 530 && reply.Code != 501:
		return err
	case verb == "PASS":
		return fmt.Errorf("%w: %w", auth.ErrLogin, err)
	case verb == "USER":
		return fmt.Errorf("%w: %w: %w", auth.ErrLogin, learn.ErrEarly, err)
	}
	return err
}
