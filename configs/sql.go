package configs

import "time"

// SQLAccounts is a database that is asked for accounts by a query of the operator's.
type SQLAccounts struct {
	Driver   SQLDriver     `yaml:"driver"`
	DSN      Secret        `yaml:"dsn"`
	DSNFile  string        `yaml:"dsn_file"`        // a file with nothing but the DSN
	CA       string        `yaml:"ca"`              // PEM file of who may sign the database's certificate; TLS is a must then
	Query    string        `yaml:"query"`           // in which {user} stands for the name
	Plain    bool          `yaml:"plain_passwords"` // the password column has the passwords themselves
	Template string        `yaml:"template"`        // of rows that name none
	Timeout  time.Duration `yaml:"timeout"`         // of one login; 10 s if 0
}

// SQLDriver is a kind of database.
type SQLDriver string

// The drivers. MySQL is MariaDB's as well.
const (
	PostgreSQL SQLDriver = "postgres"
	MySQL      SQLDriver = "mysql"
)

func (SQLDriver) choices() []string { return []string{string(PostgreSQL), string(MySQL)} }

func (c *checker) sqlAccounts(field string, s *SQLAccounts) {
	if s == nil {
		return
	}
	c.required(field+".driver", "write postgres, or mysql for MySQL and MariaDB")
	switch inline, file := c.given(field+".dsn"), c.given(field+".dsn_file"); {
	case inline && file:
		c.wrong(field+".dsn_file", "there is a dsn too", "remove one of the two")
	case !inline && !file:
		c.wrong(field+".dsn", "is missing", "write how the database is reached, such as "+exampleDSN(s.Driver))
	}
	c.optional(field+".dsn", s.DSN.Reveal())
	c.optional(field+".dsn_file", s.DSNFile)
	if s.DSNFile != "" {
		c.file(field+".dsn_file", s.DSNFile)
		c.confidential(field+".dsn_file", s.DSNFile, "the database's password")
	}
	c.authority(field+".ca", s.CA)
	c.filled(field+".query", s.Query, "write for example SELECT name, password FROM users WHERE name = {user}")
	c.sourceTemplate(field+".template", s.Template)
	c.optionalTimeout(field+".timeout", s.Timeout)
}

func exampleDSN(d SQLDriver) string {
	if d == MySQL {
		return "user:password@tcp(host)/database?tls=true"
	}
	return "postgres://user:password@host/database?sslmode=verify-full"
}
