// Package sqldb asks a database for accounts, by the operator's own query, so that the
// tables of other FTP servers serve as they are. It reads only, writes no SQL of its own,
// and knows neither templates nor configuration files.
//
// Its central type is [Provider].
package sqldb

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"causeway/auth"
)

// UserMark stands in a query for the name that the client gives. The database gets the
// name as a parameter, never as a part of the query.
const UserMark = "{user}"

// Driver is a kind of database.
type Driver string

// The drivers. MySQL is MariaDB's as well.
const (
	Postgres Driver = "postgres"
	MySQL    Driver = "mysql"
)

// DefaultTimeout bounds one login: connecting, and the query.
const DefaultTimeout = 10 * time.Second

// Bounds of the pool. Idle connections end before a firewall forgets them.
const (
	maxConns = 8
	maxIdle  = time.Minute
)

// Config says how accounts are found.
type Config struct {
	Driver  Driver
	DSN     string         // as pgx or go-sql-driver/mysql have it; a secret
	Roots   *x509.CertPool // nil leaves TLS to the DSN; else it is a must, and they sign the server's certificate
	Query   string         // with UserMark; see [Provider] for its columns
	Plain   bool           // the password column has the passwords themselves
	Timeout time.Duration  // 0 is DefaultTimeout
}

// Provider is a database as an [auth.Provider]. Its query returns one row, or none where
// there is no such account. These columns mean something, in any case of letters:
//
//   - name, which is needed: the account's name. Databases find names in other spellings,
//     by their collations, and what is found decides.
//   - password, which is needed: a hash, of a kind that [auth.User] may have, or the password
//     itself if Config.Plain is set. NULL and "" match no password.
//   - template: the account's template.
//   - disabled: true, t, yes, y or a number but 0, if nobody may log in.
//   - expires: a date, the account's last day (UTC), or the time of its end.
//   - networks: of clients that may log in, as prefixes or addresses, between commas or spaces.
//
// The others go with the account by their names.
type Provider struct {
	cfg   Config
	query string // in the driver's form
	names int    // how many times it has the name
	db    func() *sql.DB
}

// New makes a provider. It connects when it is asked first. What is wrong with the
// configuration is the error, which does not tell the DSN.
func New(cfg Config) (*Provider, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	p := &Provider{cfg: cfg, query: cfg.Query, names: 1}
	if err := CheckQuery(cfg.Query); err != nil {
		return nil, err
	}
	var connector driver.Connector
	var err error
	switch cfg.Driver {
	case Postgres:
		p.query = strings.ReplaceAll(cfg.Query, UserMark, "$1")
		connector, err = connectPostgres(cfg)
	case MySQL:
		p.query, p.names = strings.ReplaceAll(cfg.Query, UserMark, "?"), strings.Count(cfg.Query, UserMark)
		connector, err = connectMySQL(cfg)
	default:
		return nil, fmt.Errorf("unknown driver %q", cfg.Driver)
	}
	if err != nil {
		return nil, err
	}
	p.db = sync.OnceValue(func() *sql.DB { return pool(connector) })
	return p, nil
}

// pool has a goroutine of its own from then on.
func pool(connector driver.Connector) *sql.DB {
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxIdleTime(maxIdle)
	return db
}

// What is wrong with a query or a DSN.
var (
	ErrNoMark = errors.New("the query does not have " + UserMark)
	ErrQuoted = errors.New("the query has " + UserMark + " between quotes, where it is a text like any other")
	ErrDSN    = errors.New("the DSN cannot be read")
)

// CheckQuery tells whether a query asks for a user: ErrNoMark or ErrQuoted.
func CheckQuery(query string) error {
	parts := strings.Split(query, UserMark)
	if len(parts) == 1 {
		return ErrNoMark
	}
	var open rune // the quote that has been opened
	for _, part := range parts[:len(parts)-1] {
		for _, r := range part {
			switch {
			case r == open:
				open = 0
			case open == 0 && strings.ContainsRune("'\"`", r):
				open = r
			}
		}
		if open != 0 {
			return ErrQuoted
		}
	}
	return nil
}

// connectPostgres uses unnamed statements, which poolers between here and the database do
// not mix up, and which the server gets the parameters of apart from the query.
func connectPostgres(c Config) (driver.Connector, error) {
	cfg, err := pgx.ParseConfig(c.DSN)
	if err != nil {
		return nil, ErrDSN // the library's text may have the password
	}
	if c.Roots != nil {
		cfg.TLSConfig = c.tls(cfg.Host)
		for _, f := range cfg.Fallbacks {
			f.TLSConfig = c.tls(f.Host)
		}
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	return stdlib.GetConnector(*cfg), nil
}

// tls is how the server of a host is verified by Roots.
func (c Config) tls(host string) *tls.Config {
	return &tls.Config{ServerName: host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12}
}

func connectMySQL(c Config) (driver.Connector, error) {
	cfg, err := mysql.ParseDSN(c.DSN)
	if err != nil {
		return nil, ErrDSN
	}
	if host, _, err := net.SplitHostPort(cfg.Addr); c.Roots != nil {
		if err != nil {
			return nil, ErrDSN // a socket, which has no TLS
		}
		cfg.TLSConfig, cfg.TLS, cfg.AllowFallbackToPlaintext = "", c.tls(host), false
	}
	cfg.MultiStatements, cfg.InterpolateParams, cfg.AllowAllFiles = false, false, false
	cfg.ParseTime = false
	cfg.Logger = &mysql.NopLogger{} // what it has to say comes as an error
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, ErrDSN
	}
	return connector, nil
}

// Close ends all connections. Nothing may be asked then.
func (p *Provider) Close() error { return p.db().Close() }

var (
	errAmbiguous = errors.New("the query finds more than one row")
	errColumns   = errors.New("the query must return the columns name and password")
)

// Find is [auth.Provider.Find]. Checking hashes is left to the caller.
func (p *Provider) Find(ctx context.Context, a auth.Attempt) (*auth.Found, error) {
	if strings.HasSuffix(a.Name, " ") {
		return nil, auth.ErrUnknown // columns of the type CHAR would find the name without it
	}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	r, err := p.ask(ctx, a.Name)
	if err != nil {
		return nil, fmt.Errorf("query for an account: %w", err)
	}
	if r == nil {
		return nil, auth.ErrUnknown
	}
	f, err := r.account()
	if err != nil {
		return nil, err
	}
	if err := p.judge(f, r.text("password"), a.Password); err != nil {
		return nil, err
	}
	return f, nil
}

// Check tells whether the database can be reached and the query returns what it must.
func (p *Provider) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	_, err := p.ask(ctx, "causeway-nobody")
	return err
}

// ask returns the row of the name, nil if there is none. It reads in a transaction that
// may do nothing else.
func (p *Provider) ask(ctx context.Context, name string) (*row, error) {
	tx, err := p.db().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	args := make([]any, p.names)
	for i := range args {
		args[i] = name
	}
	rows, err := tx.QueryContext(ctx, p.query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has been asked
	r, err := newRow(rows)
	if err != nil {
		return nil, err
	}
	if !rows.Next() {
		return nil, rows.Err()
	}
	if err := r.scan(rows); err != nil {
		return nil, err
	}
	if rows.Next() {
		return nil, errAmbiguous
	}
	return r, rows.Err()
}
